import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { run } from "../../../local/run.ts";
import { bundleDocument } from "../../../plan/bundle.ts";
import { storage } from "../../../plan/services/storage.ts";
import { verbatim } from "../../../plan/template.ts";
import { parseSettings } from "../../../settings/parse.ts";
import { stack } from "../../components/program.ts";
import { mayGrowMounted } from "../capability.ts";
import { ScratchMachine } from "../scratch-machine.ts";

const APPLY = "/usr/local/lib/mailhost/apply";
const STORAGE = "/usr/local/lib/mailhost/storage";
const ROOTDISK = "/usr/local/lib/mailhost/rootdisk";
const volume = "vol-0123456789abcdef0";
const byId = `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume.replace("-", "")}`;
const MIB = 1024 ** 2;

const folder = mkdtempSync(join(tmpdir(), "mailhost-disks-"));
const devices: string[] = [];
const machines: ScratchMachine[] = [];

/** A block device on a sparse file of zeros. */
async function disk(name: string, mib: number): Promise<{ device: string; file: string }> {
  const file = join(folder, name);
  writeFileSync(file, "");
  truncateSync(file, mib * MIB);
  // Past the page cache: an error of the disk is the reader's, and what the machine wrote is in the file.
  const device = (await run("losetup", ["--find", "--show", "--direct-io=on", file])).trim();
  devices.push(device);
  return { device, file };
}

/** A machine with its first steps behind it: the storage bundle is applied, as a deployment does it. */
async function machineWith(disks: Readonly<Record<string, string>>): Promise<ScratchMachine> {
  const machine = await ScratchMachine.boot(disks);
  machines.push(machine);
  await ok(
    machine,
    `mkdir -p /usr/local/lib/mailhost; cat >${APPLY}; chmod 0755 ${APPLY}`,
    verbatim(APPLY.slice(1)),
  );
  await ok(machine, APPLY, bundleDocument(storage(parseSettings(stack, {}))));
  return machine;
}

/** @returns standard output, without its last newline */
async function ok(machine: ScratchMachine, command: string, input?: string): Promise<string> {
  const said = await machine.run(command, input);
  assert.equal(said.code, 0, `${command}\n${said.stdout}${said.stderr}`);
  return said.stdout.trimEnd();
}

/** What may not change where the volume is not ours. */
const contents = async (device: string) => (await run("b2sum", [device])).split(" ")[0];

async function refused(machine: ScratchMachine, device: string, path: string): Promise<string> {
  const hash = await contents(device);
  const said = await machine.run(STORAGE, `${path}\n`);
  assert.equal(said.code, 1, said.stdout + said.stderr);
  assert.equal(said.stdout, "");
  assert.equal(await contents(device), hash, `${path} was written to`);
  assert.equal((await machine.run("findmnt /srv")).stdout, "");
  return said.stderr;
}

after(async () => {
  for (const machine of machines) await machine.remove();
  for (const device of devices) await run("losetup", ["--detach", device]);
  rmSync(folder, { recursive: true, force: true });
});

describe("a volume that is not ours is left alone, byte for byte", () => {
  const path = "/dev/nvme1n1";
  let machine: ScratchMachine;
  let device: string;
  let file: string;

  before(async () => {
    ({ device, file } = await disk("foreign", 256));
    machine = await machineWith({ [path]: device });
  });

  const foreign: readonly (readonly [what: string, make: string, said: string])[] = [
    ["another file system", "mkfs.ext4 -q -L backup $DISK", "ext4, label backup"],
    ["the right file system without a label", "mkfs.ext4 -q $DISK", "ext4"],
    ["an older kind of file system", "mkfs.ext2 -q -L mailhost $DISK", "ext2, label mailhost"],
    ["swap", "mkswap -q $DISK", "swap"],
    [
      "an encrypted disk",
      "printf 'LUKS\\272\\276\\0\\001' | dd of=$DISK conv=notrunc status=none",
      "crypto_LUKS",
    ],
    [
      "an LVM volume",
      `python3 -c '
import struct, sys, zlib
body = struct.pack("<I8s", 32, b"LVM2 001") + b"A" * 32
body += bytes(512 - 20 - len(body))
# LVM2 takes its checksum with this start, and does not turn it over (lib/misc/crc.c).
crc = zlib.crc32(body, 0xf597a6cf ^ 0xffffffff) ^ 0xffffffff
sys.stdout.buffer.write(bytes(512) + struct.pack("<8sQI", b"LABELONE", 1, crc) + body)' | dd of=$DISK conv=notrunc status=none`,
      "LVM2_member",
    ],
    [
      "a partition table",
      "printf 'label: gpt\\n,100M\\n' | sfdisk -q --no-reread --no-tell-kernel $DISK",
      "gpt",
    ],
    [
      "an old partition table",
      "printf 'label: dos\\n,100M\\n' | sfdisk -q --no-reread --no-tell-kernel $DISK",
      "dos",
    ],
    [
      "a file system whose beginning was overwritten",
      "mkfs.ext4 -q -L mailhost $DISK; wipefs -q --all $DISK",
      "data of an unknown kind: in the 1024 KiB from byte 0 on",
    ],
    [
      "data in the middle, and no signature",
      "head -c 64K /dev/urandom | dd of=$DISK bs=1M seek=100 conv=notrunc status=none",
      "data of an unknown kind: in the 64 KiB from byte 104857600 on",
    ],
    [
      "a byte at the very end",
      "printf x | dd of=$DISK bs=1 seek=268435455 conv=notrunc status=none",
      "data of an unknown kind: in the 1024 KiB from byte 267386880 on",
    ],
  ];
  for (const [what, make, said] of foreign) {
    it(what, async () => {
      await ok(machine, `DISK=${path}; blkdiscard --zeroout $DISK; ${make}; sync`);
      const message = await refused(machine, device, path);
      assert.equal(
        message,
        `data volume: ${path} holds something else (${said}); it is left alone. If what is on it may go, zero it on ` +
          `the host (sudo blkdiscard --zeroout ${path}), and run this deployment again\n`,
      );
    });
  }

  it("one that cannot be read", async () => {
    await ok(machine, `blkdiscard --zeroout ${path}; blockdev --flushbufs ${path}`);
    truncateSync(file, 8 * MIB);
    const said = await machine.run(STORAGE, `${path}\n`);
    truncateSync(file, 256 * MIB);
    assert.equal(said.code, 1, said.stdout);
    assert.match(
      said.stderr,
      /^data volume: \/dev\/nvme1n1 cannot be read: Input\/output error\. Nothing was written/,
    );
    assert.equal(await contents(device), await zeros(256));
  });

  it("a word that is no volume, and a size that is none", async () => {
    for (const input of ["", "nvme1n1", `${path} 20G`]) {
      const said = await machine.run(STORAGE, `${input}\n`);
      assert.equal(said.code, 1, input);
      assert.match(
        said.stderr,
        /^data volume: (a volume's id or a device's path is expected|a volume's size is a number)/,
      );
    }
  });

  it("what the message says helps: zeroed, it is taken", async () => {
    await ok(machine, `blkdiscard --zeroout ${path}`);
    assert.equal(
      await ok(machine, STORAGE, `${path}\n`),
      `made a file system on ${path}\nmounted ${path} at /srv`,
    );
    // Its folders are mounted at other places, too.
    await ok(machine, "umount --all-targets /srv; ! grep -w /srv /proc/mounts");
  });

  it("a making of the file system that was cut off is begun again, on the volume that was found blank", async () => {
    const begun = "/var/lib/mailhost/blank-volume";
    await ok(
      machine,
      `blkdiscard --zeroout ${path}; head -c 1M /dev/urandom >${path}; sync; test ! -e ${begun}`,
    );
    await ok(machine, `echo ${volume} >${begun}`);
    assert.match(await refused(machine, device, path), /holds something else \(data of an unknown kind/);
    await ok(machine, `echo ${path} >${begun}`);
    assert.match(await ok(machine, STORAGE, `${path}\n`), /^made a file system on/);
    await ok(machine, `test ! -e ${begun}`);
  });
});

async function zeros(mib: number): Promise<string | undefined> {
  return (await run("sh", ["-c", `head -c ${mib}M /dev/zero | b2sum`])).split(" ")[0];
}

describe("our volume", () => {
  let machine: ScratchMachine;
  let device: string;
  let file: string;
  const superblock = async (field: string) =>
    new RegExp(`^${field}: *(.*)$`, "m").exec(await run("dumpe2fs", ["-h", device]))?.[1];

  before(async () => {
    ({ device, file } = await disk("ours", 1024));
    machine = await machineWith({ [byId]: device });
  });

  it("empty, it gets a file system, is mounted, and what lies on it is where daemons look", async () => {
    assert.equal(
      await ok(machine, STORAGE, `${volume} 1\n`),
      `made a file system on ${volume}\nmounted ${volume} at /srv`,
    );
    assert.deepEqual(
      (await ok(machine, "findmnt -n -o TARGET,FSTYPE /srv; findmnt -n -o OPTIONS /srv")).split(/\s+/),
      ["/srv", "ext4", "rw,nosuid,nodev,relatime"],
    );
    // The kernel does not show an option that the file system has from its making.
    assert.equal(await superblock("Errors behavior"), "Remount read-only");
    await ok(machine, "echo kept >/srv/redis/probe");
    assert.equal(await ok(machine, "cat /var/lib/redis/probe"), "kept");
    assert.equal(
      await ok(machine, "stat -c '%n %a %U' /srv/mail /srv/redis /srv/rspamd /srv/letsencrypt"),
      "/srv/mail 700 vmail\n/srv/redis 750 redis\n/srv/rspamd 750 _rspamd\n/srv/letsencrypt 700 root",
    );
  });

  it("the second time nothing happens", async () => {
    const before = await ok(
      machine,
      "systemctl show -P ActiveEnterTimestampMonotonic srv.mount; stat -c %i /srv",
    );
    assert.equal(await ok(machine, STORAGE, `${volume} 1\n`), "");
    assert.equal(
      await ok(machine, "systemctl show -P ActiveEnterTimestampMonotonic srv.mount; stat -c %i /srv"),
      before,
    );
  });

  it("another one in its place is refused, and not mounted over it", async () => {
    await ok(machine, "mknod /dev/other b 7 250");
    const other = await machine.run(STORAGE, "/dev/other\n");
    assert.equal(other.code, 1);
    assert.match(
      other.stderr,
      /^data volume: another file system is mounted at \/srv already: \/dev\/\S+\. Reboot the host/,
    );
  });

  it("after a power cut in the middle of writing it is mended before it is mounted, at boot", async () => {
    await ok(machine, "for i in $(seq 2000); do echo $i >/srv/mail/$i; done; sync");
    // What a cut leaves: the device as it is at this moment, its journal not played back, its counters behind.
    await ok(
      machine,
      "(while :; do echo x >/srv/mail/new; sync /srv/mail/new; rm /srv/mail/new; done) >/dev/null 2>&1 &",
    );
    await ok(machine, "for i in $(seq 2001 2500); do echo $i >/srv/mail/$i; done; sync /srv/mail/2500");
    await run("cp", ["--sparse=always", file, `${file}.cut`]);
    await machine.cut();
    // Ending a machine here unmounts its disks; a power cut does not.
    await run("dd", [`if=${file}.cut`, `of=${device}`, "bs=1M", "conv=fsync", "status=none"]);
    assert.match((await superblock("Filesystem features")) ?? "", /needs_recovery/);
    await run("debugfs", ["-w", "-R", "set_super_value free_blocks_count 7", device]);
    await machine.boot();
    assert.equal(await ok(machine, "systemctl is-active srv.mount"), "active");
    assert.match(await ok(machine, "journalctl -b -u mailhost-fsck -o cat"), /recovering journal/);
    assert.notEqual(await superblock("Free blocks"), "7");
    assert.equal(await ok(machine, "ls /srv/mail | grep -c '^[0-9]*$'; cat /srv/mail/2000"), "2500\n2000");
    assert.equal(await ok(machine, STORAGE, `${volume} 1\n`), "");
  });

  it("attached to a new machine, it is the same mail host's: all is there, with its owners", async () => {
    const letter = "/srv/mail/letter";
    await ok(machine, `echo kept >${letter}; chown vmail:vmail ${letter}; cp -p ${letter} /srv/redis/`);
    const all =
      "cd /srv; find . -path ./lost+found -prune -o -printf '%p %U:%G %m %s %T@\\n' | sort | sha256sum";
    const before = await ok(machine, `${all}; sync`);
    await run("cp", ["--sparse=always", file, `${file}.cut`]);
    await machine.cut();
    await run("dd", [`if=${file}.cut`, `of=${device}`, "bs=1M", "conv=fsync", "status=none"]);
    machine = await machineWith({ [byId]: device });
    assert.equal(await ok(machine, STORAGE, `${volume} 1\n`), `mounted ${volume} at /srv`);
    assert.equal(await ok(machine, all), before);
    assert.equal(await ok(machine, `stat -c %U ${letter}; cat /var/lib/redis/letter`), "vmail\nkept");
  });

  it("grows with its disk while it is in use; where the kernel allows that to nobody here, at the next boot", async () => {
    const size = async () => Number(await ok(machine, "df -B1M --output=size /srv | tail -n 1"));
    const small = await size();
    truncateSync(file, 2048 * MIB);
    await run("losetup", ["--set-capacity", device]);
    const said = await ok(machine, STORAGE, `${volume} 2\n`);
    if (mayGrowMounted()) {
      assert.equal(said, "the data volume's file system has grown to 2 GiB");
    } else {
      assert.match(
        said,
        /cannot grow while it is in use: this container lacks CAP_SYS_RESOURCE\. It grows at the next boot/,
      );
      assert.equal(await size(), small);
      await machine.cut();
      await machine.boot();
    }
    assert.ok(small < 1024 && (await size()) > 1900, `${small}, ${await size()}`);
    assert.equal(await ok(machine, "stat -c %U /srv/mail/letter; cat /srv/mail/letter"), "vmail\nkept");
    assert.equal(await ok(machine, STORAGE, `${volume} 2\n`), "");
  });

  it("read-only after an error, it is not deployed on, and the message says what mends it", async () => {
    await ok(machine, "mount -o remount,ro /srv");
    const said = await machine.run(STORAGE, `${volume} 2\n`);
    assert.equal(said.code, 1);
    assert.match(
      said.stderr,
      /^data volume: the kernel found errors in the file system on .* Reboot the host/,
    );
    await ok(machine, "mount -o remount,rw /srv");
  });

  it("with errors that need a person's judgement it is not mounted, and not made anew", async () => {
    await machine.cut();
    // Without its root directory: what is to become of all that was in there, no program may say.
    await run("debugfs", ["-w", "-R", "clri <2>", device]);
    await run("debugfs", ["-w", "-R", "set_super_value state 2", device]);
    await machine.boot();
    assert.equal((await machine.run("findmnt /srv")).stdout, "");
    assert.equal(
      await ok(machine, "systemctl show -P Result mailhost-fsck srv.mount"),
      "exit-code\n\nsuccess",
    );
    const said = await machine.run(STORAGE, `${volume} 2\n`);
    assert.equal(said.code, 1, said.stdout);
    assert.match(said.stderr, /needs a person's eye: sudo e2fsck \/dev\/disk\/by-id\/\S+ on the host\./);
  });
});

describe("a volume begins plain or locked, and stays so", () => {
  const path = "/dev/nvme1n1";
  let machine: ScratchMachine;
  let device: string;
  const locked = parseSettings({ ...stack, lockedStore: true }, {});

  before(async () => {
    ({ device } = await disk("begun", 256));
    machine = await machineWith({ [path]: device });
    await ok(machine, APPLY, bundleDocument(storage(locked)));
  });

  async function notTaken(input: string, said: RegExp): Promise<void> {
    const answer = await machine.run(STORAGE, input);
    assert.equal(answer.code, 1, answer.stdout + answer.stderr);
    assert.match(answer.stderr, said);
  }

  it("one with mail on it is no locked store, mounted or not", async () => {
    await ok(machine, STORAGE, `${path}\n`);
    await ok(machine, "echo kept >/srv/mail/letter; sync");
    const said =
      /^data volume: mail lies on \/dev\/nvme1n1 as it is, in no locked store, .*Nothing was changed/;
    for (const input of [`${path}\nlocked\n`, `${path}\nlocked\na good long passphrase\n`]) {
      await notTaken(input, said);
      assert.equal(await ok(machine, "cat /srv/mail/letter; findmnt -n -o TARGET /volume || true"), "kept");
    }
    await ok(machine, "umount --all-targets /srv");
    await notTaken(`${path}\nlocked\n`, said);
    await ok(machine, STORAGE, `${path}\n`);
    assert.equal(await ok(machine, "cat /srv/mail/letter"), "kept");
    await ok(machine, "umount --all-targets /srv");
  });

  it("a locked store is no plain volume, mounted or not", async () => {
    // As a store is left by its making; it is made where there is a network to bring the program (test/long/locked.test.ts).
    await ok(
      machine,
      `mount ${path} /mnt && cd /mnt && rm -r * && mkdir store .fscrypt && touch store/letter && cd / && umount /mnt`,
    );
    const said =
      /^data volume: all on \/dev\/nvme1n1 lies in a locked store, which the stack file does not speak of/;
    await notTaken(`${path}\n`, said);
    assert.equal((await machine.run("findmnt /srv")).stdout, "");
    await ok(machine, `mkdir -p /volume; mount ${path} /volume; mount --bind /volume/store /srv`);
    await notTaken(`${path}\n`, said);
    // The step before it would take away what opens the store.
    const before = await machine.run(APPLY, bundleDocument(storage(parseSettings(stack, {}))));
    assert.equal(before.code, 1, before.stdout);
    assert.match(before.stderr, /lies in a locked store, .* Nothing was changed/);
    await ok(machine, "ls /usr/local/lib/mailhost/store /etc/systemd/system/mailhost-store.service");
    await ok(machine, "ls /srv/letter; umount /srv /volume");
  });

  it("a second line that says something else is refused", async () => {
    await notTaken(`${path}\nopen\n`, /^data volume: the second line is empty or says locked, not 'open'/);
  });

  it("a bundle is not applied on a locked host, and nothing of it is left there", async () => {
    const document =
      "mailhost bundle test\nfiles: /etc/probe\n\n=== /etc/probe root:root 0600\nsecret\n=== end\n";
    const said = await machine.run(APPLY, document);
    assert.equal(said.code, 1);
    assert.match(
      said.stderr,
      /the host is locked, and nothing was changed\. Run `npm run unlock -- --stack NAME`/,
    );
    assert.equal((await machine.run("ls /etc/probe")).stdout, "");
    assert.equal((await machine.run(`${APPLY} --sweep`, "bundles: storage\n")).code, 0);
  });
});

describe("the root disk", () => {
  it("says so where / is on no partition, and does nothing", async () => {
    const machine = machines.at(-1);
    assert.ok(machine);
    assert.equal(
      await ok(machine, ROOTDISK, "8\n"),
      "root disk: / is overlay on no partition of a disk, and has nothing to grow into",
    );
    const said = await machine.run(ROOTDISK, "large\n");
    assert.equal(said.code, 1);
    assert.equal(said.stderr, "root disk: its size in GiB is expected on standard input\n");
  });
});
