// `require` says why it cannot work. A bound function shows no line in a stack trace, so that the user's comes first.
(tools) => {
  'use strict';
  function sageval$require(name) {
    throw new Error(`\`require("${name}")\`: modules and file access are not available`);
  }
  tools.define('require', sageval$require.bind(null));
}
