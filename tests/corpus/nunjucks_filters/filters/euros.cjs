module.exports = (amount) => `${Number(amount).toFixed(2)} €`;
