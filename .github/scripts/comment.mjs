// Puts a file as a comment on the pull request, and keeps that one up to date: it is known by its first line.
// node .github/scripts/comment.mjs FILE; GitHub's own variables, GITHUB_TOKEN and PULL_REQUEST say where.
import { readFileSync } from "node:fs";

const { GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN, PULL_REQUEST } = process.env;
const body = readFileSync(process.argv[2], "utf8");
const [marker] = body.split("\n");
if (!/^<!-- mailhost .+ -->$/.test(marker)) throw new Error(`${process.argv[2]} begins with no marker`);

async function call(method, path, content) {
  const response = await fetch(`${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}/issues/${path}`, {
    method,
    headers: { accept: "application/vnd.github+json", authorization: `Bearer ${GITHUB_TOKEN}` },
    ...(content && { body: JSON.stringify(content) }),
  });
  if (!response.ok) throw new Error(`GitHub says ${response.status} to ${method} ${path}`);
  return await response.json();
}

/** Ours among all; a person may quote the marker, and only a program's comment is a program's to change. */
async function find(page = 1) {
  const comments = await call("GET", `${PULL_REQUEST}/comments?per_page=100&page=${page}`);
  const found = comments.find(({ user, body: text }) => user?.type === "Bot" && text?.startsWith(marker));
  return found ?? (comments.length === 100 ? await find(page + 1) : undefined);
}

const found = await find();
if (found === undefined) await call("POST", `${PULL_REQUEST}/comments`, { body });
else await call("PATCH", `comments/${found.id}`, { body });
