// JavaScript, since Pulumi's runner of policies has ts-node compile whatever TypeScript it loads itself. What is imported from here
// Node runs as it stands.
import "./pack.ts";
