/** A page with sections, like the settings: each section has an address of its own. */

import {useEffect} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {Boundary} from "./boundary.js";
import {html} from "./html.js";
import {IconButton} from "./icons.js";
import {follow, go, leaveTo} from "./route.js";
import {useFocus, useTitle} from "./use.js";

/**
 * A page with sections: their list, and one of them.
 * @param {{title: string, sections: any[], section: any, pathOf: (id: string) => string,
 *   isReady: boolean, more?: any}} properties `more` is shown below the list.
 */
export function Sections({title, sections, section, pathOf, isReady, more}) {
  const heading = useFocus(section.id);
  const close = () => go(leaveTo());
  useTitle(`${section.title()} · ${title}`);
  useEffect(() => {
    document.querySelector(".sections [aria-current]")?.scrollIntoView({block: "nearest"});
    const leave = (/** @type {KeyboardEvent} */ event) => {
      // Escape closes a dialog, or an open list of choices, first.
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) {
        close();
      }
    };
    addEventListener("keydown", leave);
    return () => removeEventListener("keydown", leave);
  }, [section]);
  return html`<div class="sections">
    <nav aria-label=${title}>
      <h1>${title}</h1>
      <ul>
        ${sections.map(
          (each) => html`<li key=${each.id}>
            <a
              href=${pathOf(each.id)}
              onClick=${follow}
              aria-current=${each === section ? "page" : undefined}
              >${each.title()}</a
            >
          </li>`,
        )}
      </ul>
      ${more}
    </nav>
    <main id="main" tabindex="-1">
      <header>
        <h2 ref=${heading} tabindex="-1">${section.title()}</h2>
        <${IconButton} icon="close" label=${t("close-page", {name: title})} onClick=${close} />
      </header>
      ${isReady ? html`<${Boundary} key=${section.id}><${section.View} /><//>` : html`<p role="status">${t("loading")}</p>`}
    </main>
  </div>`;
}
