module.exports = (output, context) => ({ name: context.vars.pet, years: JSON.parse(output).age });
