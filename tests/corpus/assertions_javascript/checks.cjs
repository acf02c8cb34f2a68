module.exports = (output, context) => ({
  pass: output.length > 5,
  score: output.length > 5 ? 1 : 0.25,
  reason: `${Object.keys(context.vars).join()} has ${output.length} letters`,
});
