import type { Picture } from './exporter.ts';

const OF_ROOM = /^files\//;
const SHOWN = /!\[(?:[^\]\\]|\\.)*\]\(files\/[\w.-]+\)/g;
const LINKED = /\[((?:[^\]\\]|\\.)*)\]\(files\/[\w.-]+\)/g;

/**
 * The document without the files that people shared: their names stay. Policy: nothing can redact a picture, so that
 * these go only where the configuration says so.
 */
export function withoutRoomFiles(given: { markdown: string; pictures: readonly Picture[] }): {
  markdown: string;
  pictures: Picture[];
} {
  return {
    markdown: given.markdown
      .replace(SHOWN, '(The picture is kept with the incident.)')
      .replace(LINKED, '$1 (kept with the incident)'),
    pictures: given.pictures.filter(({ path }) => !OF_ROOM.test(path)),
  };
}
