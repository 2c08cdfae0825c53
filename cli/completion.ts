/** `mailhost completion`: what a shell offers while somebody types. */
import type { Command, Option } from "commander";
import { checkout } from "../local/paths.ts";
import { exits, say } from "../local/terminal.ts";
import { shellWord } from "../plan/shell.ts";
import { withExamples } from "./options.ts";

/**
 * A command, or a group of them, as commander has it. The script holds all of it, so that a shell need not start Node at
 * each key: it is printed anew where the commands are others.
 */
interface Spot {
  /** Words that lead there: `mailbox add`; empty: `mailhost` itself. */
  readonly path: string;
  readonly below: readonly { readonly name: string; readonly about: string }[];
  readonly options: readonly OptionWord[];
}

interface OptionWord {
  /** `--stack`. */
  readonly name: string;
  readonly about: string;
  readonly takesValue: boolean;
  /** Values that it may have; undefined: anything. */
  readonly values: readonly string[] | undefined;
}

const shells = {
  bash: (places: readonly Spot[]) => bash(places),
  zsh: (places: readonly Spot[]) =>
    `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash(places)}`,
  fish: (places: readonly Spot[]) => fish(places),
} as const;

export function addCompletionCommand(program: Command): void {
  const completion = program
    .command("completion")
    .description("a script by which a shell completes these commands: put its line where the shell begins");
  for (const [shell, script] of Object.entries(shells)) {
    withExamples(
      completion.command(shell).description(`for ${shell}`),
      shell === "fish" ? "mailhost completion fish | source" : `eval "$(mailhost completion ${shell})"`,
    ).action(
      exits(async () => {
        say(script(placesOf(program)));
        return 0;
      }),
    );
  }
}

function placesOf(command: Command, path: readonly string[] = []): readonly Spot[] {
  const below = command.commands.map((one) => ({ name: one.name(), about: one.description() }));
  const options = command.options.flatMap((option) => wordOf(option));
  return [
    { path: path.join(" "), below, options: [...options, help] },
    ...command.commands.flatMap((one) => placesOf(one, [...path, one.name()])),
  ];
}

const help: OptionWord = { name: "--help", about: "says more", takesValue: false, values: undefined };

function wordOf({ long, description, required, optional, argChoices }: Option): readonly OptionWord[] {
  if (!long) return [];
  return [{ name: long, about: description, takesValue: required || optional, values: argChoices }];
}

/** Marks a path that there is, for `case`: the words before it, and the next one. */
function step(path: string): string {
  const words = path.split(" ");
  return `${words.slice(0, -1).join(" ")}/${words.at(-1)}`;
}

function bash(places: readonly Spot[]): string {
  const quoted = (words: readonly string[]) => shellWord(words.join(" "));
  const values = places.flatMap(({ path, options }) =>
    options
      .filter(({ name, takesValue }) => takesValue && name !== "--stack")
      .map(({ name, values = [] }) => `    ${shellWord(`${path}/${name}`)}) words=${quoted(values)} ;;`),
  );
  return `_mailhost() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path= words= word file
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    case "$path/$word" in
      ${places
        .filter(({ path }) => path !== "")
        .map(({ path }) => shellWord(step(path)))
        .join(" | ")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${places
  .map(
    ({ path, below, options }) =>
      `    ${shellWord(path)}) words=${quoted([...below.map(({ name }) => name), ...options.map(({ name }) => name)])} ;;`,
  )
  .join("\n")}
  esac
  case "$path/$before" in
    */--stack)
      words=
      for file in ${shellWord(checkout)}/Pulumi.*.yaml; do
        file=\${file##*/Pulumi.}
        file=\${file%.yaml}
        # compgen -W expands what it is given.
        case "$file" in *[!A-Za-z0-9._-]*) continue ;; esac
        words="$words $file"
      done ;;
${values.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _mailhost mailhost`;
}

function fish(places: readonly Spot[]): string {
  const at = (path: string) => `-n ${shellWord(`__mailhost_at ${shellWord(path)}`)}`;
  const lines = places.flatMap(({ path, below, options }) => [
    ...below.map(
      ({ name, about }) => `complete -c mailhost ${at(path)} -a ${shellWord(name)} -d ${shellWord(about)}`,
    ),
    ...options.map(({ name, about, takesValue, values }) => {
      const choices =
        name === "--stack" ? "(__mailhost_stacks)" : values === undefined ? undefined : values.join(" ");
      return [
        `complete -c mailhost ${at(path)} -l ${name.slice(2)} -d ${shellWord(about)}`,
        ...(takesValue ? ["-x"] : []),
        ...(choices === undefined ? [] : [`-a ${shellWord(choices)}`]),
      ].join(" ");
    }),
  ]);
  return `function __mailhost_at
  set -l path
  for word in (commandline -opc)[2..-1]
    switch "$path/$word"
      case ${places
        .filter(({ path }) => path !== "")
        .map(({ path }) => shellWord(step(path)))
        .join(" ")}
        set path (string trim -- "$path $word")
    end
  end
  test "$path" = "$argv[1]"
end
function __mailhost_stacks
  string replace -rf '.*/Pulumi\\.(.*)\\.yaml$' '$1' -- ${shellWord(checkout)}/Pulumi.*.yaml
end
complete -c mailhost -f
${lines.join("\n")}`;
}
