import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import { openPage } from '../page/page.ts';
import { createTeller, type Teller } from '../story/story-print.ts';
import { percent } from '../story/story-traffic.ts';
import { type DemoWorld, SERVICE } from '../story/story-world.ts';
import { createLive, type Live } from './live-actions.ts';
import { HELP, openConsole } from './live-console.ts';
import { createFeed } from './live-feed.ts';

const TICK_MS = 1_000;
const DAY_CALLS = 1_200;

/** Stays up with live traffic until somebody has had enough; a signal ends it from outside. */
export async function runLive(world: DemoWorld): Promise<number> {
  const tell = createTeller(world.time);
  const live = createLive(world);
  const share = await live.traffic.day(DAY_CALLS);
  const page = await openPage(live);
  introduce(tell, page.url, world);
  tell.line(
    'metric',
    `${SERVICE}: ${share.n.toLocaleString('en')} calls in the last 24 hours, ${percent(share.right)} right.`,
  );
  let isOver = false;
  const quit = Promise.withResolvers<void>();
  const console = openConsole(live, tell, quit.resolve);
  const running = run(live, tell, () => isOver);
  await Promise.race([quit.promise, running]);
  isOver = true;
  console.close();
  await page.close();
  await running;
  if (!world.bot.isRunning() && !world.isClosing()) {
    tell.plain(`The bot has ended by itself. Its log: ${world.logFile}`);
    return 1;
  }
  tell.note('Stopped. Thank you for looking.');
  return 0;
}

function introduce(tell: Teller, url: string, world: DemoWorld): void {
  tell.note(
    `llm-incident is up, with a Slack workspace, a PagerDuty account and ${SERVICE}, a simulated AI feature, all on this ` +
      'machine. One real second is one simulated minute, with 20 calls in each. No rule, window or threshold is loosened. ' +
      'Only what people type carries real time, because Slack stamps it.',
  );
  tell.plain(`\n  Open it in a browser: ${url}\n\nOr type here:\n${HELP}\n`);
  tell.plain(`Config, database and log: ${world.folder}\n`);
}

async function run(live: Live, tell: Teller, isOver: () => boolean): Promise<void> {
  const feed = createFeed(live, tell);
  let last = '';
  while (!isOver() && live.world.bot.isRunning()) {
    const due = performance.now() + TICK_MS;
    try {
      await live.minute();
      await feed.look();
      last = '';
    } catch (thrown) {
      if (messageOf(thrown) !== last && !live.world.isClosing())
        tell.note(`The demo stumbled: ${messageOf(thrown)}`);
      last = messageOf(thrown);
    }
    await sleep(Math.max(0, due - performance.now()));
  }
}
