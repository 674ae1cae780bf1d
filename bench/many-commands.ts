import { SERVICE, signedForm, startBenchBot } from './bench-bot.ts';
import { type SlowVendors, startSlowVendors } from './slow-vendors.ts';

export const COMMANDS = 200;
const ROUNDS = 5;
const ANSWER_MS = 50;
const WORDS = ['list', 'help', 'status', 'lease', 'nonsense'];

/** Milliseconds until each of 200 commands sent at once had its answer, in every round beside a room being opened. */
export async function manyCommands(): Promise<number[]> {
  const vendors = await startSlowVendors(ANSWER_MS);
  const bot = await startBenchBot(vendors);
  try {
    const url = `${bot.url}/slack/events`;
    await besideARoom(vendors, url, 0);
    const latencies: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1)
      latencies.push(...(await besideARoom(vendors, url, round)));
    return latencies;
  } finally {
    await bot.stop();
    await vendors.close();
  }
}

async function besideARoom(vendors: SlowVendors, url: string, round: number): Promise<number[]> {
  const since = vendors.calls.length;
  const declared = fetch(url, signedForm(commandOf(`declare sev3 cost ${SERVICE} round ${round}`, round)));
  await vendors.waitFor(({ path }) => path === '/api/conversations.create', since);
  const isOpen = vendors.waitFor(
    ({ path, body }) => path === '/api/chat.postMessage' && body.includes(`card%3A${round + 1}`),
    since,
  );
  const latencies = await allAtOnce(url, { textOf: (index) => WORDS[index % WORDS.length] ?? 'list' });
  await isOpen;
  await (await declared).arrayBuffer();
  await vendors.quiet();
  return latencies;
}

/** Sends all of them in one go, and wants a 200 with something to read from each. */
export async function allAtOnce(
  url: string,
  { textOf, secret }: { textOf(index: number): string; secret?: string },
): Promise<number[]> {
  const requests = Array.from({ length: COMMANDS }, (_, index) =>
    signedForm(commandOf(textOf(index), performance.now() + index), secret),
  );
  const started = performance.now();
  return Promise.all(
    requests.map(async (request, index) => {
      const answer = await fetch(url, request);
      const said = await answer.text();
      if (answer.status !== 200) throw new Error(`"${textOf(index)}" was answered with ${answer.status}`);
      if (said === '') throw new Error(`"${textOf(index)}" was answered with nothing`);
      return performance.now() - started;
    }),
  );
}

function commandOf(text: string, trigger: number): Record<string, string> {
  const place = { user_id: 'U0ONCALL', team_id: 'T1', channel_id: 'C0GENERAL' };
  return { command: '/llm-incident', text, ...place, trigger_id: `${trigger}.1` };
}
