import type { ReactNode } from 'react'
import { Link } from '../../../infra/web/client/router.tsx'
import { useTheme } from '../../../infra/web/client/theme.ts'
import { basket } from './api/checkout.ts'
import { session } from './api/session.ts'
import { unitsIn } from './model/basket.ts'
import { languages } from './model/language.ts'
import { chooseLanguage, useWords } from './texts/texts.tsx'

/** What all pages share: navigation, language, colours. */
export function Shell({ section, children }: { section: string; children: ReactNode }) {
  const { t, number } = useWords()
  const units = unitsIn(basket.use())
  const pages = [
    { path: '/shop/', of: [''], name: t.articles },
    { path: '/shop/basket', of: ['basket', 'checkout'], name: t.basket, units },
    { path: '/shop/orders', of: ['orders'], name: t.orders },
  ]
  return (
    <>
      <a className="skip" href="#main">
        {t.skip}
      </a>
      <header className="bar">
        <Link to="/shop/" className="brand">
          <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
            <rect width="32" height="32" rx="7" className="brand-ground" />
            <path d="M8.500 12h15l-1.500 13h-12z" className="brand-bag" />
            <path d="M12 15v-4a4 4 0 0 1 8 0v4" className="brand-handle" />
          </svg>
          {t.shop}
        </Link>
        <nav aria-label={t.pages}>
          <ul>
            {pages.map(({ path, of, name, units: count = 0 }) => (
              <li key={path}>
                <Link to={path} aria-current={of.includes(section) ? 'page' : undefined}>
                  {count > 0 ? (
                    <>
                      <span aria-hidden="true">{name}</span>
                      <span className="count" aria-hidden="true">
                        {number(count)}
                      </span>
                      <span className="sr-only">{t.inBasket(number(count))}</span>
                    </>
                  ) : (
                    name
                  )}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <Preferences />
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <footer className="foot">{t.footer}</footer>
    </>
  )
}

const names = { en: 'English', de: 'Deutsch' }

function Preferences() {
  const { t, language } = useWords()
  const [theme, turnTheme] = useTheme()
  const token = session.useToken()
  return (
    <div className="preferences">
      <div role="group" aria-label={t.language} className="switch">
        {languages.map((each) => (
          <button
            key={each}
            type="button"
            lang={each}
            title={names[each]}
            aria-pressed={each === language}
            onClick={() => chooseLanguage(each)}
          >
            {each.toUpperCase()}
            <span className="sr-only"> {names[each]}</span>
          </button>
        ))}
      </div>
      <button
        type="button"
        className="quiet icon"
        onClick={turnTheme}
        aria-label={t.theme[theme]}
        title={t.theme[theme]}
      >
        <span aria-hidden="true">{{ system: '◐', dark: '●', light: '○' }[theme]}</span>
      </button>
      {token !== null && (
        <button type="button" className="quiet" onClick={() => session.signOut()}>
          {t.signOut}
        </button>
      )}
    </div>
  )
}
