import { Link } from '../../../../infra/web/client/router.tsx'
import { useWords } from '../texts/texts.tsx'

interface EmptyProps {
  readonly title: string
  readonly text: string
  /** Whether it is the title of the page. */
  readonly isPage?: boolean
}

/** There is nothing here; a link leads to the articles. */
export function Empty({ title, text, isPage = false }: EmptyProps) {
  const { t } = useWords()
  const Heading = isPage ? 'h1' : 'h2'
  return (
    <section className="empty">
      <Heading>{title}</Heading>
      <p>{text}</p>
      <Link to="/shop/" className="button">
        {t.noPage.link}
      </Link>
    </section>
  )
}
