import { createContext, use, useEffect } from 'react'
import type { ReactNode } from 'react'
import { formatMoney } from '../../../../infra/web/client/format-money.ts'
import type { Problem } from '../api/ask.ts'
import { localeOf, preferredLanguage } from '../model/language.ts'
import type { Language } from '../model/language.ts'
import { Stored } from '../model/stored.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import type { Texts } from './en.ts'

const chosen = new Stored<Language | null>('language', null, () => localStorage)
export const chooseLanguage = (language: Language): void => chosen.set(language)

interface Words {
  readonly language: Language
  readonly t: Texts
  /** @param minor minor units, text */
  money(minor: string | null, currency: string | null): string
  /** A whole number that may be an int64, as text. */
  number(value: number | string): string
  dateAndTime(iso: string): string
  time(iso: string): string
  /** `30 Nov 2026, 13:00–17:00` */
  range(fromIso: string, untilIso: string): string
  /** What to tell of a problem. */
  trouble(problem: Problem): string
}

const WordsContext = createContext<Words | undefined>(undefined)

/** The texts and formats of the chosen language, by default the browser's. */
export function WithWords({ children }: { children: ReactNode }) {
  const language = chosen.use() ?? preferredLanguage(navigator.languages)
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  return <WordsContext value={wordsOf(language)}>{children}</WordsContext>
}

export function useWords(): Words {
  const words = use(WordsContext)
  if (!words) throw new Error('outside of WithWords')
  return words
}

const made = new Map<Language, Words>()

function wordsOf(language: Language): Words {
  const known = made.get(language)
  if (known) return known
  const locale = localeOf(language, navigator.languages)
  const t = { en, de }[language]
  const numbers = new Intl.NumberFormat(locale)
  const full = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' })
  const words: Words = {
    language,
    t,
    money: (minor, currency) => formatMoney(minor, currency, locale),
    number: (value) => numbers.format(BigInt(value)),
    dateAndTime: (iso) => full.format(new Date(iso)),
    time: (iso) => clock.format(new Date(iso)),
    range: (from, until) => full.formatRange(new Date(from), new Date(until)),
    trouble: ({ status, detail }) =>
      t.problems[status] ?? (status >= 500 ? t.problems['503'] : `${t.problems['other']} ${detail}`) ?? detail,
  }
  made.set(language, words)
  return words
}
