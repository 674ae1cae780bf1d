import { SERVICE, signedForm, startBenchBot } from './bench-bot.ts';
import { compareCosts, type Measurement, quantile } from './measurement.ts';
import { type SlowCall, type SlowVendors, startSlowVendors } from './slow-vendors.ts';

const ANSWER_MS = 50;
const ROUNDS = 15;
const WARM_UP = 3;

interface Times {
  appliedMs: number;
  receiptMs: number;
}

/**
 * From the click on Approve until the target had the change, and until the receipt was in the room, beside a bare script
 * that makes the same calls one after the other. What comes after the receipt, the proof foremost, is not in it.
 */
export async function mitigation(): Promise<Measurement[]> {
  const vendors = await startSlowVendors(ANSWER_MS);
  const bot = await startBenchBot(vendors);
  try {
    const slack = personOn(bot.url, vendors);
    await slack.command(`declare sev3 cost ${SERVICE} bench`, 'C0GENERAL');
    await vendors.waitFor(({ path, body }) => path === '/api/chat.postMessage' && body.includes('card%3A1'));
    const floors: Times[] = [];
    const values: Times[] = [];
    for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
      const { calls, times } = await botRound(vendors, slack, round);
      const floor = await bareRound(vendors, calls);
      if (round < WARM_UP) continue;
      values.push(times);
      floors.push(floor);
    }
    return [row('applied', 'appliedMs', { floors, values }), row('receipt', 'receiptMs', { floors, values })];
  } finally {
    await bot.stop();
    await vendors.close();
  }
}

function row(what: string, of: keyof Times, { floors, values }: Record<'floors' | 'values', Times[]>) {
  const median = (times: Times[]) =>
    quantile(
      times.map((one) => one[of]),
      0.5,
    );
  const name = `click → ${what}, median, calls answered after ${ANSWER_MS} ms`;
  return compareCosts({ name, floor: median(floors), value: median(values), unit: 'ms', target: 1.5 });
}

const isReceipt = (call: SlowCall) =>
  call.path === '/api/chat.postMessage' && call.body.includes('receipt%3A');
const isChange = (call: SlowCall) => call.path.startsWith('/target') && call.method === 'POST';

async function botRound(
  vendors: SlowVendors,
  slack: Person,
  round: number,
): Promise<{ calls: SlowCall[]; times: Times }> {
  await vendors.quiet();
  const before = vendors.calls.length;
  await slack.command(`mitigate limit user u-${round} 5`, 'C0ROOM');
  const proposal = await vendors.waitFor(({ body }) => /proposal%3A\d+/.test(body), before);
  await vendors.quiet();
  const since = vendors.calls.length;
  const started = performance.now();
  await slack.click('approve', approveValueOf(proposal));
  const receipt = await vendors.waitFor(isReceipt, since);
  await vendors.quiet();
  const calls = vendors.calls.slice(since).filter((call) => call.at <= receipt.at);
  return { calls, times: timesOf(calls, started) };
}

function approveValueOf({ body }: SlowCall): string {
  const blocks = new URLSearchParams(body).get('blocks') ?? '';
  const value =
    /"action_id":"approve"[^}]*?"value":"([^"]+)"|"value":"([^"]+)"[^}]*?"action_id":"approve"/.exec(blocks);
  return value?.[1] ?? value?.[2] ?? '';
}

function timesOf(calls: readonly SlowCall[], started: number): Times {
  const ms = (isIt: (call: SlowCall) => boolean) => (calls.find(isIt)?.answeredAt ?? Number.NaN) - started;
  return { appliedMs: ms(isChange), receiptMs: ms(isReceipt) };
}

/** The floor: the same requests, each sent when the one before was answered. */
async function bareRound(vendors: SlowVendors, calls: readonly SlowCall[]): Promise<Times> {
  const since = vendors.calls.length;
  const started = performance.now();
  for (const { method, path, headers, body } of calls) {
    const sent = method === 'GET' ? { method, headers } : { method, headers, body };
    await (await fetch(`${vendors.url}${path}`, sent)).arrayBuffer();
  }
  return timesOf(vendors.calls.slice(since), started);
}

interface Person {
  command(text: string, channelId: string): Promise<void>;
  click(actionId: string, value: string): Promise<void>;
}

/** Somebody in Slack, at the wire. */
function personOn(url: string, vendors: SlowVendors): Person {
  let sent = 0;
  const send = async (form: Record<string, string>) => {
    const answer = await fetch(`${url}/slack/events`, signedForm(form));
    if (answer.status !== 200) throw new Error(`the bot answered ${answer.status}`);
  };
  const common = () => {
    sent += 1;
    return { trigger_id: `${sent}.1`, response_url: `${vendors.url}/said/${sent}`, api_app_id: 'A1' };
  };
  return {
    command: (text, channelId) =>
      send({
        command: '/llm-incident',
        text,
        user_id: 'U0ONCALL',
        team_id: 'T1',
        channel_id: channelId,
        ...common(),
      }),
    click: (actionId, value) => {
      const action = { type: 'button', action_id: actionId, block_id: 'b', value, action_ts: `${sent}.5` };
      const place = { message_ts: '1700000000.000001', channel_id: 'C0ROOM' };
      const payload = {
        type: 'block_actions',
        team: { id: 'T1' },
        user: { id: 'U0APPROVER' },
        channel: { id: 'C0ROOM' },
        container: { type: 'message', ...place },
        message: { ts: place.message_ts },
        actions: [action],
        ...common(),
      };
      return send({ payload: JSON.stringify(payload) });
    },
  };
}
