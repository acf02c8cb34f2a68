// Marks where the question ends and the answer begins.
module.exports = (prompt) => `${prompt}\n\nAnswer:`;
