module.exports = (name, separator) => name.split(' ').map((word) => word[0]).join(separator);
