import { z } from "zod";

/** What a mailbox holds, in GiB. 0: without a limit. */
export const quotaSize = z.number().min(0).max(1_000_000);
