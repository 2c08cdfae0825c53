/** What is said where a stack file asks for a disk that is smaller than the one that is there. */
export interface Disk {
  /** As the stack file has it: `mailhost:server.dataSize`. */
  readonly setting: string;
  /** What it is, as a subject: `The data volume`. */
  readonly what: string;
  /** The way to a smaller one: a sentence. */
  readonly instead: string;
}

export const dataDisk: Disk = {
  setting: "mailhost:server.dataSize",
  what: "The data volume",
  instead: "A smaller one is another host: set that up beside this one, and copy the mail over by IMAP.",
};

export const rootDisk: Disk = {
  setting: "mailhost:server.rootSize",
  what: "The root disk",
  instead: "Or replace the machine, with the same address, keys and mail: terminate it, and run again.",
};

/**
 * EBS lets a disk grow and never shrink (EC2 API, ModifyVolume, "Size").
 *
 * @param was GiB, as the state knows it
 * @param wanted GiB, of the stack file
 * @returns why the change cannot be and what to do; nothing where it can
 */
export function shrinkRefusal(disk: Disk, was: unknown, wanted: unknown): string | undefined {
  if (typeof was !== "number" || typeof wanted !== "number" || wanted >= was) return undefined;
  return [
    `${disk.what} has ${was} GiB and cannot shrink to ${wanted}; nothing was changed.`,
    `    write ${was} or more for ${disk.setting} in the stack file, and run again.`,
    `    ${disk.instead}`,
  ].join("\n");
}
