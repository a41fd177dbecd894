import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { applyTheme, storedTheme } from '../../../infra/web/client/theme.ts'
import { App } from './app.tsx'
import '../../../infra/web/client/tokens.css'
import '../../../infra/web/client/base.css'
import '../../../infra/web/client/parts.css'
import './styles/shell.css'
import './styles/pages.css'

applyTheme(storedTheme())
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
