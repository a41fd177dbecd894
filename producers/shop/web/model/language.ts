/** Languages of the shop. */
export const languages = ['en', 'de'] as const
export type Language = (typeof languages)[number]

/** The first language that the browser asks for (as in its Accept-Language) and the shop has. */
export const preferredLanguage = (wanted: readonly string[]): Language =>
  wanted.map((tag) => tag.toLowerCase().split('-')[0]).find(isLanguage) ?? 'en'

/** The reader's own variety of a language for numbers and dates: `de-AT` for an Austrian browser. */
export const localeOf = (language: Language, wanted: readonly string[]): string =>
  wanted.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language

const isLanguage = (tag: string | undefined): tag is Language => (languages as readonly unknown[]).includes(tag)
