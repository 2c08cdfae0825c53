import { z } from "zod";

/** A text that is judged as a whole. @param mistake "what is wrong; what to write instead", if anything is */
export function text(mistake: (value: string) => string | undefined) {
  return z.string().superRefine((value, context) => {
    const message = mistake(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
}
