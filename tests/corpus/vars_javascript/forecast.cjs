module.exports = (name, prompt, vars, provider) => {
  if (vars.city === 'Atlantis') {
    return { error: 'no such city' };
  }
  return { output: `${name} for ${vars.city.length} days` };
};
