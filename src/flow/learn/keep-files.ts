import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import slugify from '@sindresorhus/slugify';
import type { RoomFile } from '../../db/schema.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import type { Incident } from '../../incident/incident.ts';
import { sharedFilesOf } from '../../incident/room-store.ts';
import { fileKind } from '../../postmortem/file-kind.ts';
import type { SharedFile } from '../../postmortem/pictures.ts';
import type { Flow } from '../flow.ts';
import type { FetchedFile } from '../ports.ts';
import { writeWhole } from './write-whole.ts';

/** Beside the post-mortem. */
const FOLDER = 'files';
const LONGEST_SLUG = 60;
const PICTURES = new Set(['png', 'jpg', 'gif', 'webp']);

type Using = Pick<Flow, 'db' | 'chat' | 'config' | 'log'>;
export type Kept = Pick<SharedFile, 'kept' | 'notKept'>;

/**
 * Copies what people shared in the room into the folder of its documents, and tells by file id where each copy is, or
 * why there is none. Policy: pictures, PDF and plain text by their content, so many and so large as the configuration
 * says, none of a private incident unless it says so; the copy of what was deleted in Slack goes. What is there already
 * is not fetched again, so a throttled run goes on where it stopped.
 */
export async function keepFiles(
  flow: Using,
  incident: Incident,
  { documents, isLastTry }: { documents: string; isLastTry: boolean },
): Promise<ReadonlyMap<string, Kept>> {
  const { keep, private: alsoPrivate, most } = flow.config.room_files;
  const folder = join(documents, FOLDER);
  const isKept = keep && (!incident.private || alsoPrivate);
  const files = isKept ? await sharedFiles(flow, incident.id) : [];
  const there = await copiesIn(folder);
  await dropCopies(folder, there, new Set(files.map(({ id }) => id)));
  const outcome = new Map<string, Kept>();
  let count = 0;
  for (const file of files) {
    const copy = there.get(file.id);
    const isTooMany = copy === undefined && count >= most;
    const place = { folder, copy, isLastTry };
    const kept = isTooMany ? notKept(`only ${most} files are kept`) : await keepOne(flow, file, place);
    if (kept.kept !== undefined) count += 1;
    outcome.set(file.id, kept);
  }
  return outcome;
}

type KnownFile = RoomFile & { id: string };

/** What people shared, each once and oldest first; what the bot shares is made of this. */
async function sharedFiles({ db, chat }: Using, incidentId: number): Promise<KnownFile[]> {
  const found = new Map<string, KnownFile>();
  for (const { user_id, files } of await sharedFilesOf(db, incidentId)) {
    if (user_id === chat.botUserId) continue;
    for (const file of files)
      if (file.id !== undefined && /^[A-Z0-9]{2,30}$/i.test(file.id))
        found.set(file.id, { ...file, id: file.id });
  }
  return [...found.values()];
}

const notKept = (why: string): Kept => ({ notKept: why });

async function keepOne(
  flow: Using,
  file: KnownFile,
  { folder, copy, isLastTry }: { folder: string; copy: string | undefined; isLastTry: boolean },
): Promise<Kept> {
  const largestBytes = flow.config.room_files.largest_mb * 1024 * 1024;
  const tooLarge = `it is larger than ${flow.config.room_files.largest_mb} MB`;
  const nameWith = (extension: string) => copyName(flow, file, extension);
  if (file.gone !== undefined) return notKept(file.gone);
  if (copy !== undefined) {
    const name = nameWith(copy.slice(copy.lastIndexOf('.') + 1));
    if (name !== copy) await rename(join(folder, copy), join(folder, name));
    return keptAs(name);
  }
  if ((file.bytes ?? 0) > largestBytes) return notKept(tooLarge);
  if (file.url === undefined) return notKept('Slack gives no address of it');
  const found = await fetched(flow, { url: file.url, largestBytes }, isLastTry);
  if (found.kind !== 'fetched') return notKept(found.kind === 'refused' ? found.why : tooLarge);
  const kind = fileKind(found.bytes);
  if (kind === null) return notKept('it is no picture, PDF or plain text');
  const name = nameWith(kind.extension);
  await writeCopy(join(folder, name), folder, found.bytes);
  return keptAs(name);
}

function keptAs(name: string): Kept {
  const isPicture = PICTURES.has(name.slice(name.lastIndexOf('.') + 1));
  return { kept: { path: `${FOLDER}/${name}`, isPicture } };
}

/** Trouble that passes ends this run and is tried again, but for the last time: no document waits for a file for ever. */
async function fetched(
  flow: Using,
  asked: { url: string; largestBytes: number },
  isLastTry: boolean,
): Promise<FetchedFile> {
  try {
    return await flow.chat.fetchFile(asked);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    if (thrown.retryAfterMs !== undefined || !isLastTry) throw thrown;
    flow.log.warn({ error: messageOf(thrown) }, 'a shared file could not be fetched');
    return { kind: 'refused', why: 'Slack did not give it' };
  }
}

/** Its id, and what it is called where that names nobody: letters, digits and hyphens alone. */
function copyName({ config }: Pick<Flow, 'config'>, file: KnownFile, extension: string): string {
  const plain = file.name
    .slice(0, 200)
    .toWellFormed()
    .replace(/\.[^.]{1,10}$/, '');
  const slug = config.blameless_names ? '' : slugify(plain, { decamelize: false }).slice(0, LONGEST_SLUG);
  const safe = slug.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  return `${file.id}${safe === '' ? '' : `-${safe}`}.${extension}`;
}

async function writeCopy(path: string, folder: string, bytes: Buffer): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await writeWhole(path, bytes);
}

/** The copies that are there, by file id. */
async function copiesIn(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return [];
    throw thrown;
  });
  const idOf = (name: string) => /^[A-Za-z0-9]+/.exec(name)?.[0] ?? '';
  return new Map(names.filter((name) => !name.endsWith('.part')).map((name) => [idOf(name), name]));
}

async function dropCopies(
  folder: string,
  there: ReadonlyMap<string, string>,
  wanted: ReadonlySet<string>,
): Promise<void> {
  for (const [id, name] of there) if (!wanted.has(id)) await rm(join(folder, name), { force: true });
}
