/** A server that is listening. */
export interface Listener {
  readonly port: number;
  /** Closes the port and cuts every connection, hung ones too. Bounded. To be called once. */
  stop(): Promise<void>;
}

/** Settles when `closing` does, or after `ms`: a stop must not wait for a peer. */
export async function within(ms: number, closing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([closing, deadline]);
  clearTimeout(timer);
}
