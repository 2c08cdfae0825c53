import { listAt, type ResourceRule, unknown, valueAt } from "../rule.ts";

const remedy = "Leave `encrypted: true`: a disk cannot be encrypted later, only copied to one that is.";

const isOpen = (encrypted: unknown) => encrypted !== true && encrypted !== unknown;

const volumeType = "aws:ebs/volume:Volume";

export const encryptedVolume: ResourceRule = {
  name: "volumes-encrypted",
  description: "Volumes are encrypted at rest.",
  type: volumeType,
  judge: ({ properties }) =>
    isOpen(valueAt(properties, "encrypted")) ? [`The volume is not encrypted. ${remedy}`] : [],
};

export const encryptedDisks: ResourceRule = {
  name: "machine-disks-encrypted",
  description: "The machine's own disks are encrypted at rest.",
  type: "aws:ec2/instance:Instance",
  judge: ({ properties }) => [
    ...(isOpen(valueAt(properties, "rootBlockDevice", "encrypted"))
      ? [`The root disk is not encrypted. ${remedy}`]
      : []),
    ...listAt(properties, "ebsBlockDevices")
      .filter((device) => isOpen(valueAt(device, "encrypted")))
      .map((device) => `The disk ${String(valueAt(device, "deviceName"))} is not encrypted. ${remedy}`),
  ],
};

export const protectedVolume: ResourceRule = {
  name: "volumes-protected",
  description: "No run deletes the volume with the mail.",
  type: volumeType,
  judge: ({ isProtected }) =>
    isProtected
      ? []
      : [
          "The volume is not protected: a destroy, or a change that replaces it, would take the mail along. Leave `protect: true`; where you are leaving, run the destroy without the policies.",
        ],
};

export const protectedAddress: ResourceRule = {
  name: "address-protected",
  description: "No run gives the address away, which has the host's reputation.",
  type: "aws:ec2/eip:Eip",
  judge: ({ isProtected }) =>
    isProtected
      ? []
      : [
          "The elastic IP is not protected: once released, it is another customer's, and a new one begins without a reputation. Leave `protect: true`; where you are leaving, run the destroy without the policies.",
        ],
};
