// Stands for what light.js leaves out; these are what Pulumi's runner asks of a compiler before it loads the policies.
module.exports = {
  version: "0.0.0",
  register: () => undefined,
  parseConfigFileTextToJson: () => ({ config: {} }),
};
