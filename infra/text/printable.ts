import { stripVTControlCharacters } from 'node:util'

/** Text from outside on one line, safe for a terminal: it must be able neither to control it nor to reorder what is shown. */
export const printable = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '·')

/** As `printable`, of several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

/** A line of a log: plain text, or JSON whose texts will be printed. */
export function printableLogLine(line: string): string {
  try {
    return JSON.stringify(JSON.parse(line), (_, value: unknown) =>
      typeof value === 'string' ? printableLines(value) : value,
    )
  } catch {
    return printable(line)
  }
}

/** JSON with what a terminal would obey written as escapes; it reads back as the same value. */
export const safeJson = (json: string): string =>
  json.replaceAll(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
