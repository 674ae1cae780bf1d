import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDemoWorld } from '../src/demo/story/story-world.ts';
import { type Camera, findChromium, openCamera } from './screenshots/chromium.ts';
import { playAndTake, type Taken } from './screenshots/scenes.ts';
import {
  documentPage,
  homePage,
  messagePage,
  modalPage,
  type Surroundings,
} from './screenshots/slack-look.ts';

const PICTURES = join(import.meta.dirname, '../docs/images');
/** A phone in CSS pixels. */
const PHONE_PX = 420;
const FIRST_PAGE_PX = 800;
/** The same incident every time, so that a picture changes only when the product does. */
const SEED = 20;

/**
 * `npm run screenshots`: plays the unattended demo and renders what the bot really posted into docs/images, as
 * slack-blocks-to-jsx draws blocks and Chromium shows them.
 */
async function main(): Promise<number> {
  const chromium = findChromium(process.env);
  if (chromium === null) {
    console.log('No pictures were made: there is no Chromium on PATH, and CHROMIUM_PATH names none.');
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'llm-incident-screenshots-'));
  process.chdir(folder); // The demo keeps its database and log below the current directory.
  const world = await startDemoWorld({ seed: SEED });
  try {
    const taken = await playAndTake(world);
    const channels = await world.slack.channels();
    const users = [...new Set(channels.flatMap(({ members }) => members))];
    const around = { channels, users: users.map((id) => ({ id, name: world.nameOf(id) })) };
    await develop(taken, chromium, around);
    return 0;
  } finally {
    await world.close();
    process.chdir(tmpdir());
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nothing that is kept goes before everything that replaces it is there. */
async function develop(
  taken: readonly Taken[],
  chromium: string,
  around: Omit<Surroundings, 'now'>,
): Promise<void> {
  const camera = await openCamera(chromium);
  const pictures = new Map<string, Buffer>();
  try {
    for (const one of taken) pictures.set(`${one.name}.png`, await pictureOf(one, camera, around));
  } finally {
    await camera.close();
  }
  rmSync(PICTURES, { recursive: true, force: true });
  mkdirSync(PICTURES, { recursive: true });
  for (const [name, png] of pictures) {
    writeFileSync(join(PICTURES, name), png);
    console.log(`docs/images/${name}  ${Math.round(png.length / 1_000)} kB`);
  }
}

function pictureOf(one: Taken, camera: Camera, around: Omit<Surroundings, 'now'>): Promise<Buffer> | Buffer {
  switch (one.kind) {
    case 'file':
      return one.content;
    case 'document':
      return camera.picture(documentPage(one.markdown, FIRST_PAGE_PX), PHONE_PX);
    case 'message': {
      const { message, at, now } = one;
      return camera.picture(messagePage({ blocks: message.blocks ?? [], at }, { ...around, now }), PHONE_PX);
    }
    case 'modal':
      return camera.picture(modalPage(one.view, { ...around, now: one.now }), PHONE_PX);
    case 'home':
      return camera.picture(homePage(one.view, { ...around, now: one.now }), PHONE_PX);
  }
}

// Ended by a signal, the bot and the browser end too: each is killed as this process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.exit(await main());
