/** Contains the failure of a view: an exception in one of them would end the whole page. */

import {useEffect, useErrorBoundary, useRef} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {html} from "./html.js";

/**
 * Show the children; in place of children that fail, say so. The views beside them stay usable.
 * @param {{children?: any, tag?: string, cause?: unknown}} properties `cause` is what the children
 *   show: they are tried again when it changes. `tag` is the element that takes their place.
 */
export function Boundary({children, tag = "div", cause}) {
  const [error, again] = useErrorBoundary((failure) => reportError(failure));
  const tried = useRef(cause);
  useEffect(() => {
    if (tried.current === cause) return;
    tried.current = cause;
    again();
  }, [cause]);
  if (error === undefined || error === null) return children;
  return html`<${tag} class="failed" role="alert">
    ${t("view-failed")} <button type="button" class="link" onClick=${again}>${t("retry")}</button>
  <//>`;
}
