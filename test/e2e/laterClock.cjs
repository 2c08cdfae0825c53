// Preloaded into the Pulumi program alone (NODE_OPTIONS=--require): its clock goes ahead by so many days.
const { MAILHOST_TEST_DAYS_LATER: days } = process.env;
if (days !== undefined && process.argv.some((word) => word.includes("@pulumi/pulumi/cmd/run"))) {
  const ahead = Number(days) * 86_400_000;
  const Now = Date;
  globalThis.Date = class extends Now {
    constructor(...given) {
      super(...(given.length === 0 ? [Now.now() + ahead] : given));
    }
    static now() {
      return Now.now() + ahead;
    }
  };
}
