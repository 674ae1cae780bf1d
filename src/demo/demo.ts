import { messageOf } from '../errors.ts';

const USAGE = `npm run demo                          a live incident room to play with, in the browser and here
npm run demo -- --built-in            the same, with a feature that obeys what the bot serves over OFREP
npm run demo -- --auto                one incident, unattended, from fault to post-mortem
npm run demo -- --auto --no-fault     the same traffic without the fault: nothing must happen (exit code 1)`;

/** Ends what was started and leaves; set as soon as there is something to end. */
let leave: (code: number) => Promise<void> = async (code) => process.exit(code);

async function main(args: string[]): Promise<void> {
  const unknown = args.filter((arg) => !['--auto', '--no-fault', '--built-in'].includes(arg));
  if (unknown.length > 0) {
    console.log(USAGE);
    return leave(args.includes('--help') ? 0 : 2);
  }
  if (!hasDevelopmentPackages()) {
    console.error('The demo needs the development packages: run npm ci.');
    return leave(1);
  }
  const { startDemoWorld } = await import('./story/story-world.ts');
  const world = await startDemoWorld({ isBuiltIn: args.includes('--built-in') });
  leave = async (code) => {
    leave = async () => undefined;
    await world.close().catch((thrown) => console.error(messageOf(thrown)));
    process.exit(code);
  };
  if (!args.includes('--auto')) {
    const { runLive } = await import('./live/live.ts');
    const code = await runLive(world);
    return leave(code);
  }
  const { tellStory } = await import('./story/story.ts');
  const code = await tellStory(world, { hasFault: !args.includes('--no-fault') });
  return leave(code);
}

function hasDevelopmentPackages(): boolean {
  try {
    import.meta.resolve('emulate');
    return true;
  } catch {
    return false;
  }
}

const fail = (thrown: unknown) => {
  console.error(thrown instanceof Error ? thrown.stack : String(thrown));
  void leave(1);
};
// Ending the live demo so is how it is meant to end; ending the unattended one is not.
const interrupted = process.argv.includes('--auto') ? 130 : 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => void leave(interrupted));
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
// A reader that goes away (as in `npm run demo | head`) ends the demo, quietly.
process.stdout.on('error', () => void leave(1));
await main(process.argv.slice(2));
