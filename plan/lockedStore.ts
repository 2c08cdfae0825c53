import type { Settings } from "../settings/types.ts";

/** Whether all that the host keeps lies in an encrypted store, which is locked after each boot. */
export function hasLockedStore(settings: Settings): boolean {
  return settings.options.lockedStore !== false;
}

/** The store's passphrase, where the stack has it. Secret. */
export function storePassphrase(settings: Settings): string | undefined {
  const { lockedStore } = settings.options;
  return typeof lockedStore === "boolean" ? undefined : lockedStore.passphrase;
}
