/** Opening the form with which a message, a user or a guild is reported. */

import {t} from "../lang/translate.js";
import {openDialog} from "./dialog.js";
import {html} from "./html.js";
import {lazy} from "./lazy.js";

const ReportForm = lazy(() => import("./report_form.js"), "ReportForm");

/** @param {import("../net/reports.js").Subject} subject @param {string} about Whom or what it is about. */
export const openReport = (subject, about) =>
  openDialog(t("report"), html`<${ReportForm} subject=${subject} about=${about} />`);
