// `setTimeout`: timers fire in the order of their time once nothing else is left to do; nobody gains by really waiting.
// host('timer') fires the next one, and is false where there is none.
(tools) => {
  'use strict';
  let timers = [];
  let now = 0;
  let last = 0;

  function sageval$setTimeout(fn, delay, ...values) {
    if (typeof fn !== 'function') throw new TypeError('setTimeout needs a function');
    last += 1;
    timers.push({ id: last, due: now + Math.max(Number(delay) || 0, 0), fn, values });
    return last;
  }

  function sageval$clearTimeout(id) {
    timers = timers.filter((timer) => timer.id !== id);
  }

  function sageval$fire() {
    if (!timers.length) return false;
    const next = timers.reduce((first, timer) => (timer.due < first.due ? timer : first));
    sageval$clearTimeout(next.id);
    now = next.due;
    try {
      next.fn(...next.values);
    } catch (error) {
      tools.fail(error);
    }
    return true;
  }

  tools.define('setTimeout', sageval$setTimeout.bind(null));
  tools.define('clearTimeout', sageval$clearTimeout.bind(null));
  tools.steps.timer = sageval$fire;
}
