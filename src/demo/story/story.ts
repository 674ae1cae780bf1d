import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { documentsArrive, reminderComes, talkAndResolve } from './story-after.ts';
import { modelIsPinned, proofArrives, proposeAndApprove } from './story-cure.ts';
import {
  modelMoves,
  onCallTakesIt,
  pageGoesOut,
  roomOpens,
  ruleFires,
  soundDay,
  walkTree,
} from './story-incident.ts';
import { createTeller } from './story-print.ts';
import { stopAndCheck } from './story-record.ts';
import { roomsOf } from './story-room.ts';
import { createScene, type Scene, StageMissing } from './story-scene.ts';
import { createTraffic } from './story-traffic.ts';
import { type DemoWorld, SERVICE } from './story-world.ts';

const QUIET_MINUTES = 40;

/** One incident from fault to post-mortem, told as it is seen from outside. Resolves to the exit code. */
export async function tellStory(world: DemoWorld, { hasFault }: { hasFault: boolean }): Promise<number> {
  const tell = createTeller(world.time);
  const scene = createScene({ world, tell, traffic: createTraffic(world) });
  const started = performance.now();
  introduce(scene);
  try {
    if (!hasFault) return await nothingHappens(scene);
    const folder = await oneIncident(scene);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    tell.note(`\nEvery stage happened: ${scene.happened.join(', ')}. It took ${seconds} real seconds.`);
    tell.note('To drive it yourself, in a browser: npm run demo');
    tell.plain(`documents: ${folder}`);
    return 0;
  } catch (thrown) {
    if (world.isClosing()) return 130;
    if (!(thrown instanceof StageMissing)) throw thrown;
    tell.note(`\nThis stage is missing: ${thrown.stage}. ${thrown.message}`);
    tell.note(`Before it: ${scene.happened.join(', ') || 'nothing'}.`);
    tell.plain(`The bot's log: ${world.logFile}`);
    return 1;
  }
}

function introduce({ tell, world }: Scene): void {
  tell.note(
    `llm-incident, one incident from fault to post-mortem. Around it, all on this machine: a Slack workspace, a PagerDuty ` +
      `account, and ${SERVICE}, a simulated AI feature. The bot is the real one, a process of its own at ${world.bot.url}.`,
  );
  tell.note(
    'The clock runs faster: simulated minutes pass in milliseconds (times are UTC). No rule, window or threshold is loosened. ' +
      'Only what people type carries real time, because Slack stamps it.',
  );
  tell.plain(`Config, database and log: ${world.folder}\n`);
}

async function oneIncident(scene: Scene): Promise<string> {
  const { world } = scene;
  const sound = await soundDay(scene);
  const good = world.service.state().model;
  await modelMoves(scene);
  const room = await roomOpens(scene, await ruleFires(scene, sound));
  const paged = await onCallTakesIt(scene, room, await pageGoesOut(scene, room));
  await walkTree(scene, room);
  await proposeAndApprove(scene, room);
  await modelIsPinned(scene, good);
  await proofArrives(scene, room);
  await talkAndResolve(scene, room, paged);
  const documents = await documentsArrive(scene, room);
  await reminderComes(scene);
  await stopAndCheck(scene);
  const folder = join(world.folder, 'documents');
  mkdirSync(folder, { recursive: true });
  for (const name of ['postmortem.md', 'evals.yaml'])
    copyFileSync(join(documents.folder, name), join(folder, name));
  return folder;
}

async function nothingHappens(scene: Scene): Promise<number> {
  const { world, tell, traffic } = scene;
  await soundDay(scene);
  for (let minute = 1; minute <= QUIET_MINUTES; minute += 1) {
    await traffic.minute();
    if (minute % 10 === 0) {
      const { right, n } = traffic.halfHour();
      tell.line(
        'metric',
        `Minute ${minute}: ${(right * 100).toFixed(1)} % right over the last half hour (n = ${n}).`,
      );
    }
  }
  await world.advance(0);
  await world.slack.idle();
  const seen = `${(await roomsOf(world.slack)).length} rooms, ${world.pagerduty.incidents.length} pages, ${world.service.effects.length} changes`;
  const isQuiet = seen === '0 rooms, 0 pages, 0 changes';
  const said = `${QUIET_MINUTES} simulated minutes, ${traffic.calls.toLocaleString('en')} calls, ${seen}`;
  tell.note(
    isQuiet
      ? `\nNothing happened: ${said}.`
      : `\nSomething happened although nothing was wrong: ${said}. The bot's log: ${world.logFile}`,
  );
  return 1;
}
