export interface Load {
  /** Requests a second. */
  rate: number;
  seconds: number;
  /** The first so many are sent and not measured. */
  warmUp: number;
}

/** Sends at a fixed rate whatever the answers do; latencies in ms from the scheduled time. */
export async function openLoop(load: Load, send: (index: number) => Promise<void>): Promise<number[]> {
  const latencies: number[] = [];
  const started = performance.now();
  const sending = Array.from({ length: load.rate * load.seconds }, async (_, index) => {
    const scheduled = started + (index * 1000) / load.rate;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, scheduled - performance.now())));
    await send(index);
    if (index >= load.warmUp) latencies.push(performance.now() - scheduled);
  });
  await Promise.all(sending);
  return latencies;
}
