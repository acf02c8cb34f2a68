// `structuredClone` of data: plain objects, lists, maps, sets, dates, regular expressions, errors and binary data.
(tools) => {
  'use strict';
  function sageval$empty(value) {
    if (Array.isArray(value)) return new Array(value.length);
    if (value instanceof Map) return new Map();
    if (value instanceof Set) return new Set();
    if (value instanceof Error) return new (Object.getPrototypeOf(value).constructor)(value.message);
    return {};
  }

  function sageval$copyOfWhole(value) {
    if (value instanceof Date) return new Date(value.getTime());
    if (value instanceof RegExp) return new RegExp(value.source, value.flags);
    if (value instanceof ArrayBuffer) return value.slice();
    if (value instanceof DataView) return new DataView(value.buffer.slice(), value.byteOffset, value.byteLength);
    return ArrayBuffer.isView(value) ? value.slice() : undefined;
  }

  function sageval$clone(value, seen) {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new DOMException(`a ${typeof value} cannot be cloned`, 'DataCloneError');
    }
    if (value === null || typeof value !== 'object') return value;
    if (seen.has(value)) return seen.get(value);
    const whole = sageval$copyOfWhole(value);
    const made = whole || sageval$empty(value);
    seen.set(value, made);
    if (value instanceof Map) {
      for (const [key, item] of value) made.set(sageval$clone(key, seen), sageval$clone(item, seen));
    } else if (value instanceof Set) {
      for (const item of value) made.add(sageval$clone(item, seen));
    } else if (!whole) {
      for (const key of Object.keys(value)) made[key] = sageval$clone(value[key], seen);
    }
    return made;
  }

  function sageval$structuredClone(value) {
    return sageval$clone(value, new Map());
  }
  tools.define('structuredClone', sageval$structuredClone.bind(null));
}
