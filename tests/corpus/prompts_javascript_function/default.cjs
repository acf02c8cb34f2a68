module.exports = async ({ vars, provider }) => `${provider.id}: a plan for a ${vars.level} in {{hobby}}`;
