// `console`: lines are kept, and fetched by host('console') as JSON: [[level, text], ...].
(tools) => {
  'use strict';
  const { stringify } = JSON;
  const MOST_LINES = 200;
  const LONGEST_LINE = 4000;
  const lines = [];

  function sageval$log(level, ...values) {
    if (lines.length < MOST_LINES) lines.push([level, values.map(tools.show).join(' ').slice(0, LONGEST_LINE)]);
  }

  const console = {};
  for (const level of ['debug', 'info', 'log', 'warn', 'error']) console[level] = sageval$log.bind(null, level);
  tools.define('console', console);
  tools.steps.console = () => stringify(lines);
}
