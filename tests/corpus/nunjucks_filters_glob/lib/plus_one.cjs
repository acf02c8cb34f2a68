module.exports = function plusOne(n) {
  return n + 1;
};
