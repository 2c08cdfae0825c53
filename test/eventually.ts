/**
 * Tries until something holds: until it neither throws nor is false.
 * @param what it is, as the failure names it
 * @param seconds for all tries together
 * @param every milliseconds between two tries; less where a try costs next to nothing
 * @returns what the last try found
 * @throws when the seconds are over, with what was wrong at last (`cause`, where it was an error)
 */
export async function eventually<T>(
  what: string,
  seconds: number,
  holds: () => T | false | Promise<T | false>,
  every = 250,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    let last: unknown = "it does not hold";
    try {
      const found = await holds();
      if (found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end)
      throw new Error(`${what}: not within ${seconds} s: ${String(last)}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
