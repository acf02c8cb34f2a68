module.exports.chat = ({ vars }) => [
  { role: 'system', content: `The user is a ${vars.level}.` },
  { role: 'user', content: `One tip for ${vars.hobby}` },
];
