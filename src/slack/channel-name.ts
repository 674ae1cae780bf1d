import slugify from '@sindresorhus/slugify';

const MAX_NAME = 80;
const MAX_SLUG = 40;
const MAX_READ = 400;

export interface RoomName {
  incidentId: number;
  date: Date;
  title: string;
  /** 0 at first; each further attempt, after a name that is taken, has a suffix of its own. */
  attempt: number;
}

/**
 * A room is named after its day (UTC), its incident's number and a short form of its title; a title that
 * yields no Latin letter or digit leaves only the first two. At most 80 characters, all a–z, 0–9 or hyphen.
 */
export function channelName({ incidentId, date, title, attempt }: RoomName): string {
  const day = date.toISOString().slice(0, 10).replaceAll('-', '');
  const stem = `inc-${day}-${incidentId}`;
  const suffix = attempt > 0 ? `-${attempt + 1}` : '';
  const room = Math.min(MAX_SLUG, MAX_NAME - stem.length - suffix.length - 1);
  const slug = cutAtWord(slugOf(title), room);
  return `${stem}${slug === '' ? '' : `-${slug}`}${suffix}`;
}

function slugOf(title: string): string {
  const slug = slugify(title.slice(0, MAX_READ).toWellFormed(), { decamelize: false });
  return slug.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}

function cutAtWord(slug: string, max: number): string {
  if (slug.length <= max) return slug;
  const cut = slug.slice(0, Math.max(0, max));
  const lastHyphen = slug.charAt(max) === '-' ? max : cut.lastIndexOf('-');
  return (lastHyphen > 0 ? cut.slice(0, lastHyphen) : cut).replace(/-$/, '');
}
