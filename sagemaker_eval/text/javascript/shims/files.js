// What a file of the user needs: picking the function that it exports, by CommonJS or as a module.
//
//   host('commonjs', fn, args, name, other)   run a wrapped CommonJS file, then the function that it exports
//   host('module', null, args, name, other)   the same for the module that has been evaluated before
//
// `name` is the function that the user asked for, `other` the one to take where there is no default; each may be null.
// Without `args` the function is only looked for, and the reply is V with true.
(tools) => {
  'use strict';
  const { apply } = Reflect;
  const { stringify } = JSON;

  // The function `name` (`a.b` of nested objects) of `owner`, which stays its `this`.
  function sageval$member(exported, name) {
    let owner;
    let value = exported;
    for (const key of name.split('.')) {
      owner = value;
      value = owner === null || owner === undefined ? undefined : owner[key];
    }
    if (typeof value !== 'function') return undefined;
    return function sageval$method(...values) {
      return apply(value, owner, values);
    };
  }

  function sageval$pick(exported, name, other) {
    const main = exported === null || exported === undefined ? undefined : exported.default;
    if (name) return sageval$member(exported, name) || sageval$member(main, name);
    if (typeof exported === 'function') return exported;
    if (typeof main === 'function') return main;
    return other ? sageval$member(exported, other) || sageval$member(main, other) : undefined;
  }

  function sageval$names(exported) {
    const names = [];
    for (const owner of [exported, exported && exported.default]) {
      if (owner === null || (typeof owner !== 'object' && typeof owner !== 'function')) continue;
      for (const key of Object.keys(owner)) if (typeof owner[key] === 'function') names.push(key);
    }
    return names;
  }

  function sageval$use(exported, args, name, other) {
    const fn = sageval$pick(exported, name, other);
    if (!fn) tools.answer('S', stringify(sageval$names(exported)));
    else if (args === null) tools.answer('V', 'true');
    else tools.call(fn, args, false);
  }

  function sageval$commonjs(fn, args, name, other) {
    const module = { exports: {} };
    function sageval$load() {
      apply(fn, module.exports, [module, module.exports]);
    }
    tools.proceed(sageval$load, () => sageval$use(module.exports, args, name, other));
  }

  function sageval$module(_, args, name, other) {
    function sageval$load() {
      // Every text that is evaluated is called `<input>`, and the user's is the only module.
      return import('<input>');
    }
    tools.proceed(sageval$load, (namespace) => sageval$use(namespace, args, name, other));
  }

  tools.steps.commonjs = sageval$commonjs;
  tools.steps.module = sageval$module;
}
