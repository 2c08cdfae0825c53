/** What the program on the host (files/usr/local/lib/mailhost/deliveries) says of the log, in words. */

/** Its JSON. A delivery is a message to one recipient elsewhere. */
export interface DeliverySums {
  /** Where the log begins, in seconds since 1970; null: there is none. */
  readonly since: number | null;
  readonly days: readonly {
    /** One of the host's, or `(passed on)`. */
    readonly domain: string;
    /** YYYY-MM-DD, in the host's time zone: the day of the last try. */
    readonly day: string;
    readonly sent: number;
    readonly delivered: number;
    /** That were put off once or more, whatever became of them. */
    readonly deferred: number;
    readonly bounced: number;
  }[];
  /** What has not arrived, yet or for good. */
  readonly failures: readonly {
    readonly domain: string;
    readonly status: "deferred" | "bounced";
    /** Who has answered; the recipients' domain where nobody has. */
    readonly receiver: string;
    /** Of RFC 3463: `5.1.1`. */
    readonly code: string;
    readonly deliveries: number;
  }[];
}

type Day = DeliverySums["days"][number];

/** Days that are shown one by one; of more a line is a week. */
const mostDays = 14;
const mostFailures = 10;
/** Of so many deliveries a share says something. */
const enough = 20;
/** Of a hundred: whose mail fails more often is taken for somebody who writes to lists that he has bought. */
const tooMany = 5;

/** The whole, line by line. @param days how far back somebody asked */
export function deliveryLines({ since, days: rows, failures }: DeliverySums, days: number): string[] {
  const from = since === null ? "" : new Date(since * 1000).toISOString().slice(0, 10);
  const title = `What became of what was sent (the host's log${from && `, since ${from}`})`;
  if (rows.length === 0) return [title, "  Nothing was sent to anybody elsewhere.", ""];
  const domains = [...Map.groupBy(rows, ({ domain }) => domain)];
  return [
    title,
    ...domains.flatMap(([domain, some]) => [
      `  ${domain}`,
      ...table(days > mostDays ? weeks(some) : some),
      ...failureLines(failures.filter((failure) => failure.domain === domain)),
      ...warning(some),
    ]),
    "",
  ];
}

/** A line's day is its week's Monday. */
function weeks(days: readonly Day[]): readonly Day[] {
  const monday = (day: string) => {
    const date = new Date(`${day}T00:00:00Z`);
    date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
    return `week of ${date.toISOString().slice(0, 10)}`;
  };
  return [...Map.groupBy(days, ({ day }) => monday(day))].map(([day, some]) => ({ ...total(some), day }));
}

function total(days: readonly Day[]): Day {
  const sum = (part: "sent" | "delivered" | "deferred" | "bounced") =>
    days.reduce((all, day) => all + day[part], 0);
  const [{ domain } = { domain: "" }] = days;
  return {
    domain,
    day: "in all",
    sent: sum("sent"),
    delivered: sum("delivered"),
    deferred: sum("deferred"),
    bounced: sum("bounced"),
  };
}

const columns = ["sent", "delivered", "deferred", "bounced"] as const;

function table(rows: readonly Day[]): readonly string[] {
  const all = rows.length > 1 ? [...rows, total(rows)] : rows;
  const width = Math.max(...all.map(({ day }) => day.length));
  const line = (first: string, cells: readonly string[]) =>
    `    ${first.padEnd(width)}${cells.map((cell) => cell.padStart(11)).join("")}`;
  return [
    line("", columns),
    ...all.map((row) =>
      line(
        row.day,
        columns.map((column) => String(row[column])),
      ).concat(row.bounced > 0 ? `  ${share(row)}` : ""),
    ),
  ];
}

function share({ bounced, sent }: Day): string {
  return `${((100 * bounced) / sent).toFixed(1)} %`;
}

function failureLines(failures: DeliverySums["failures"]): readonly string[] {
  const more = failures.slice(mostFailures).reduce((sum, { deliveries }) => sum + deliveries, 0);
  return [
    ...failures
      .slice(0, mostFailures)
      .map(
        ({ status, receiver, code, deliveries }) =>
          `    ${status === "bounced" ? "bounced" : "waiting"} at ${receiver}: ${deliveries}, ${cause(code)} (${code})`,
      ),
    ...(more > 0 ? [`    and ${more} more elsewhere`] : []),
  ];
}

/** RFC 3463 section 3. */
const causes: readonly (readonly [RegExp, string])[] = [
  [/^\d\.1\.[0-36]$|^\d\.1\.10$/, "no such address"],
  [/^\d\.1\.[78]$/, "the sender's address was not taken"],
  [/^\d\.2\.2$/, "the mailbox is full"],
  [/^\d\.3\.4$|^\d\.2\.3$/, "too large"],
  [/^\d\.2\./, "the mailbox takes no mail"],
  [/^\d\.3\./, "their server has trouble"],
  [/^\d\.4\./, "no way there"],
  [/^\d\.6\./, "not in a form that they take"],
  [/^\d\.7\./, "refused: for what it says, who sends it, or how it is signed"],
];

function cause(code: string): string {
  return causes.find(([pattern]) => pattern.test(code))?.[1] ?? "no reason given";
}

function warning(days: readonly Day[]): readonly string[] {
  const { sent, bounced } = total(days);
  return sent >= enough && (100 * bounced) / sent > tooMany
    ? [
        `    More than ${tooMany} of a hundred come back: receivers take that for bulk mail to bought addresses. Write to nobody whose address has bounced.`,
      ]
    : [];
}
