// JavaScript, since Pulumi's runner of policies has ts-node compile whatever TypeScript it loads itself. What is imported from here
// Node runs as it stands.
// The first of the two says what the others are to leave out.
import "./light.js";
import "./pack.ts";
