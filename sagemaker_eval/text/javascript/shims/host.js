// The host's side of a context: evaluated once in each, before any code of the user, with the list of the extensions
// that the code needs. Its value is the function through which the engine does everything else, step by step:
//
//   host('call', fn, args, calls)   run a wrapped inline script; `calls`: call a function that it yields
//   host('reply')                   the reply, or undefined as long as there is none
//
// and the steps that extensions add. `args` is JSON text or an array.
//
// A reply is one letter and a payload: V value as JSON, N number as text, U undefined, F a function, X not JSON (why, as
// JSON), E error as JSON, M out of memory, S no such function (those there are, as JSON).
//
// Functions are called sageval$... so that they can be told from the user's in a stack trace.
(extensions) => {
  'use strict';
  const { parse, stringify } = JSON;
  const NativePromise = Promise;
  const NativeError = Error;
  const NativeInternalError = InternalError;
  const promiseThen = Promise.prototype.then;
  const { apply } = Reflect;
  const { join } = Array.prototype;

  // The engine asks an error that ends a run for its text outside of all limits: no code of the user may answer.
  InternalError.prototype.toString = Error.prototype.toString;
  Object.freeze(InternalError.prototype);

  let answer;

  function sageval$answer(kind, payload = '') {
    // Unlike a joined list, a sum of long texts is a kind of string that cannot leave the engine.
    answer = apply(join, [kind, payload], ['']);
  }

  function sageval$show(value) {
    if (typeof value === 'string') return value;
    try {
      if (value instanceof NativeError) return `${value.name}: ${value.message}`;
      return (typeof value === 'object' && stringify(value)) || String(value);
    } catch {
      return `[${typeof value}]`;
    }
  }

  function sageval$fail(error) {
    // Where there is no memory left for the error either, the engine leaves out its message, or throws null.
    const exhausted = error instanceof NativeInternalError && (error.message || 'out of memory') === 'out of memory';
    if (exhausted || error === null) return sageval$answer('M');
    const told = { name: '', message: '', stack: '' };
    if (error instanceof NativeError) for (const key in told) told[key] = sageval$show(error[key]);
    else told.message = sageval$show(error);
    sageval$answer('E', stringify(told));
  }

  function sageval$succeed(value) {
    if (value === undefined) return sageval$answer('U');
    if (typeof value === 'number' && value - value !== 0) return sageval$answer('N', value);
    if (typeof value === 'function') return sageval$answer('F');
    let text;
    try {
      text = stringify(value);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return sageval$answer('X', stringify(sageval$show(error.message)));
    }
    if (text === undefined) sageval$answer('X', `"a ${typeof value} has no JSON"`);
    else sageval$answer('V', text);
  }

  // Runs `work`; its value, awaited where it is a promise, goes to `next`.
  function sageval$proceed(work, next) {
    function sageval$next(value) {
      try {
        next(value);
      } catch (error) {
        sageval$fail(error);
      }
    }
    try {
      const value = work();
      if (value === null || typeof value !== 'object' || typeof value.then !== 'function') return sageval$next(value);
      const promise = new NativePromise((resolve) => resolve(value));
      apply(promiseThen, promise, [sageval$next, sageval$fail]);
    } catch (error) {
      sageval$fail(error);
    }
  }

  function sageval$call(fn, args, calls) {
    const values = typeof args === 'string' ? parse(args) : args;
    function sageval$run() {
      return apply(fn, undefined, values);
    }
    sageval$proceed(sageval$run, (value) => {
      if (calls && typeof value === 'function') sageval$call(value, values, false);
      else sageval$succeed(value);
    });
  }

  function sageval$define(name, value) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }

  const steps = { __proto__: null, call: sageval$call, reply: () => undefined };
  const tools = {
    answer: sageval$answer,
    call: sageval$call,
    define: sageval$define,
    fail: sageval$fail,
    proceed: sageval$proceed,
    show: sageval$show,
    steps,
  };
  for (const extend of extensions) extend(tools);

  return function sageval$host(step, a, b, c, d) {
    const result = steps[step](a, b, c, d);
    return result === undefined ? answer : result;
  };
}
