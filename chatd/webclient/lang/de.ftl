log-in = Anmelden
log-out = Abmelden
register = Konto anlegen
login-name = E-Mail-Adresse
email = E-Mail-Adresse
username = Benutzername
password = Passwort
invitation-code = Registrierungscode
need-account = Noch kein Konto?
have-account = Schon ein Konto?
ended = Die Anmeldung ist abgelaufen. Bitte melde dich wieder an.

forgot-password = Passwort vergessen?
forgot-hint = Gib die E-Mail-Adresse deines Kontos ein. Du bekommst eine Mail mit einem Link, um ein neues Passwort zu wählen.
forgot-sent = Wenn es ein Konto mit dieser Adresse gibt, ist eine Mail unterwegs. Ihr Link gilt eine Stunde.
choose-password = Neues Passwort wählen
choose-password-hint = Alle Geräte, auf denen du angemeldet bist, werden abgemeldet.
verify-email = E-Mail-Adresse bestätigen
email-verified = Die E-Mail-Adresse ist bestätigt.
email-unverified = Deine E-Mail-Adresse ist nicht bestätigt. Benutze den Link in der Mail, die du bekommen hast.
email-sent = Eine Mail mit einem Link ist unterwegs.
send-again = Mail noch einmal senden
undo-change = Änderung rückgängig machen
undo-hint = Dein Konto bekommt wieder seine frühere E-Mail-Adresse. Wähle ein neues Passwort; alle Geräte werden abgemeldet.
change-undone = Die Änderung ist rückgängig gemacht. Melde dich mit deinem neuen Passwort an.
to-client = Weiter
error-link = Der Link ist ungültig, abgelaufen oder schon benutzt.

cancel = Abbrechen
close = Schließen
save = Speichern
create = Anlegen
join = Beitreten
send = Senden
retry = Noch einmal versuchen
delete = Löschen
edit = Bearbeiten
reply = Antworten
react = Reaktion hinzufügen

status-connecting = Verbindung wird aufgebaut …
status-waiting = Die Verbindung ist unterbrochen. Nächster Versuch in { $seconds } s.
status-offline = Du bist offline.
status-resumed = Wieder verbunden; nichts wurde verpasst.
status-reloading = Wieder verbunden; Verpasstes wird geladen.
connect-now = Jetzt verbinden

guilds = Server
home = Direktnachrichten
friends = Freunde
channels = Kanäle
members = Mitglieder
messages = Nachrichten
online = Online
offline = Offline
new-guild = Server anlegen oder beitreten
guild-name = Name des Servers
create-guild = Server anlegen
join-guild = Per Einladung beitreten
invite-link = Einladungslink oder Code
invite-people = Leute einladen
invite-created = Wer diesen Link öffnet, kann beitreten:
copy = Kopieren
copied = Kopiert
leave-guild = Server verlassen
new-channel = Kanal anlegen
channel-name = Name des Kanals
write-to = Nachricht an { $name }
cannot-write = Hier kannst du nicht schreiben.
replying-to = Antwort an { $name }
editing = Nachricht bearbeiten
attach = Dateien anhängen
remove-file = { $name } entfernen
not-sent = Nicht gesendet: { $reason }
not-sent-closed = Die Seite wurde geschlossen, bevor der Server geantwortet hat. Sieh nach, ob sie da ist, bevor du es noch einmal versuchst.
files-lost = Der Browser hat die Dateien nicht behalten: { $names }. Hänge sie an eine neue Nachricht an.
sending = Wird gesendet …
edited = (bearbeitet)
new-messages = Neue Nachrichten
jump-to-present = Zu den neuesten Nachrichten
beginning = Hier beginnt { $name }.
loading = Wird geladen …
place-gone = Diesen Kanal oder Server gibt es nicht, oder du darfst ihn nicht sehen.
outdated = Das konnte nicht geladen werden. Vielleicht gibt es eine neue Version.
load-page-again = Seite neu laden
load-failed = Das konnte nicht geladen werden.
deleted-reply = Die Nachricht wurde gelöscht.
typing = { $count ->
    [1] { $names } schreibt …
   *[other] { $names } schreiben …
}
typing-many = Mehrere Leute schreiben …
member-count = { $count ->
    [1] 1 Mitglied
   *[other] { $count } Mitglieder
}
unread = { $name }, ungelesen
mentioned = { $name }, { $count ->
    [1] eine Erwähnung
   *[other] { $count } Erwähnungen
}

invited-to = Du bist zu { $name } eingeladen
invite-gone = Diese Einladung gilt nicht mehr. Bitte um eine neue.
no-guilds = Du bist noch auf keinem Server. Lege einen an, oder tritt mit einem Einladungslink bei.
no-privates = Noch keine Direktnachrichten. Schreibe einem Freund oder einem Mitglied eines Servers.
no-messages = Noch keine Nachrichten. Schreibe die erste.
choose-channel = Wähle einen Kanal.
message-user = Nachricht schreiben

add-friend = Freund per Benutzername hinzufügen
friend-requests = Anfragen
accept = Annehmen
decline = Ablehnen
remove-friend = Freund entfernen
request-sent = Die Anfrage ist gesendet.

settings = Einstellungen
language = Sprache
theme = Farben
theme-system = Wie das System
theme-light = Hell
theme-dark = Dunkel

error-unreachable = Der Server ist nicht erreichbar. Prüfe die Verbindung und versuche es noch einmal.
error-rate-limited = Zu viele Anfragen. Versuche es in { $seconds } s noch einmal.
unsaved = Nicht gespeichert
keep-editing = Weiter bearbeiten
waiting-limit = Zu viele Anfragen. Neuer Versuch in { $seconds } s …
waiting-server = Der Server antwortet nicht. Neuer Versuch …
error-server = Der Server hat ein Problem. Versuche es gleich noch einmal.

system-1 = { $name } hat { $other } hinzugefügt.
system-2 = { $other } ist gegangen.
system-4 = { $name } hat den Namen in { $content } geändert.
system-5 = { $name } hat das Bild geändert.
system-6 = { $name } hat eine Nachricht angeheftet.
system-7 = { $name } ist beigetreten.
system-36 = In kurzer Zeit sind viele Konten beigetreten. Einladungen sind bis { $content } ausgesetzt.
system-12 = { $name } folgt hier { $content }.
system-24 = Eine Regel des Servers hat eine Nachricht von { $name } gefunden.
alert-blocked = Die Regel „{ $rule }“ hat sie verhindert.
alert-flagged = Die Regel „{ $rule }“ hat sie bemerkt.
alert-found = Gefunden: { $text }

## Rechte
permission-view-channel = Kanäle sehen
permission-view-channel-about = Mitglieder sehen Kanäle und lesen neue Nachrichten.
permission-manage-channels = Kanäle verwalten
permission-manage-channels-about = Mitglieder können Kanäle anlegen, ändern, ordnen und löschen.
permission-manage-roles = Rollen verwalten
permission-manage-roles-about = Mitglieder können Rollen unter ihrer eigenen anlegen und vergeben und Rechte in Kanälen ändern.
permission-manage-guild = Server verwalten
permission-manage-guild-about = Mitglieder können Namen und Einstellungen des Servers ändern, alle Einladungen sehen und Bots hinzufügen.
permission-view-audit-log = Protokoll sehen
permission-view-audit-log-about = Mitglieder sehen, wer was auf dem Server geändert hat.
permission-manage-webhooks = Webhooks verwalten
permission-manage-webhooks-about = Mitglieder können Webhooks anlegen, ändern und löschen, die Nachrichten anderer Programme senden.
permission-administrator = Administrator
permission-administrator-about = Mitglieder haben alle Rechte, in allen Kanälen. Nur für Menschen, denen du ganz vertraust.
permission-create-instant-invite = Einladungen anlegen
permission-create-instant-invite-about = Mitglieder können andere einladen.
permission-change-nickname = Eigenen Spitznamen ändern
permission-change-nickname-about = Mitglieder wählen den Namen, den sie auf diesem Server haben.
permission-manage-nicknames = Spitznamen verwalten
permission-manage-nicknames-about = Mitglieder können die Spitznamen anderer ändern.
permission-kick-members = Mitglieder entfernen
permission-kick-members-about = Mitglieder können andere entfernen; diese können mit einer Einladung wieder beitreten.
permission-ban-members = Mitglieder sperren
permission-ban-members-about = Mitglieder können andere dauerhaft ausschließen und Sperren aufheben.
permission-moderate-members = Mitglieder stummschalten
permission-moderate-members-about = Mitglieder können andere für eine Zeit am Schreiben hindern.
permission-send-messages = Nachrichten senden
permission-send-messages-about = Mitglieder können in Kanälen schreiben.
permission-read-message-history = Verlauf lesen
permission-read-message-history-about = Mitglieder können frühere Nachrichten lesen.
permission-embed-links = Links einbetten
permission-embed-links-about = Links zeigen eine Vorschau.
permission-attach-files = Dateien anhängen
permission-attach-files-about = Mitglieder können Dateien und Bilder senden.
permission-add-reactions = Reaktionen hinzufügen
permission-add-reactions-about = Mitglieder können neue Reaktionen zu Nachrichten hinzufügen.
permission-use-external-emojis = Fremde Emojis nutzen
permission-use-external-emojis-about = Mitglieder können Emojis anderer Server nutzen.
permission-mention-everyone = Alle erwähnen
permission-mention-everyone-about = Mitglieder können alle Mitglieder und alle Rollen benachrichtigen.
permission-manage-messages = Nachrichten verwalten
permission-manage-messages-about = Mitglieder können Nachrichten anderer löschen.
permission-pin-messages = Nachrichten anheften
permission-pin-messages-about = Mitglieder können Nachrichten anheften.
permission-bypass-slowmode = Langsammodus umgehen
permission-bypass-slowmode-about = Der Langsammodus gilt für diese Mitglieder nicht.
permission-send-tts-messages = Vorgelesene Nachrichten senden
permission-send-tts-messages-about = Mitglieder können Nachrichten senden, die Programme vorlesen.
permission-use-application-commands = Befehle nutzen
permission-use-application-commands-about = Mitglieder können die Befehle von Bots nutzen.
permission-use-external-apps = Eigene Apps nutzen
permission-use-external-apps-about = Apps, die Mitglieder mitbringen, dürfen öffentlich antworten.
permission-send-messages-in-threads = In Threads schreiben
permission-create-public-threads = Öffentliche Threads anlegen
permission-create-private-threads = Private Threads anlegen
permission-manage-threads = Threads verwalten
permission-send-polls = Umfragen anlegen
permission-send-voice-messages = Sprachnachrichten senden
permission-use-external-stickers = Fremde Sticker nutzen
permission-create-guild-expressions = Emojis und Sticker anlegen
permission-manage-guild-expressions = Emojis und Sticker verwalten
permission-create-events = Termine anlegen
permission-manage-events = Termine verwalten
permission-use-embedded-activities = Aktivitäten nutzen
permission-connect = Sprachkanälen beitreten
permission-speak = Sprechen
permission-stream = Video senden
permission-use-vad = Spracherkennung nutzen
permission-priority-speaker = Mit Vorrang sprechen
permission-use-soundboard = Klänge abspielen
permission-use-external-sounds = Fremde Klänge abspielen
permission-request-to-speak = Um Wort bitten
permission-mute-members = Mikrofone anderer stummschalten
permission-deafen-members = Ton anderer abschalten
permission-move-members = Mitglieder verschieben
permission-set-voice-channel-status = Status von Sprachkanälen setzen
permission-view-guild-insights = Statistik sehen
permission-view-creator-monetization-analytics = Einnahmen sehen
permission-group-guild = Server
permission-group-members = Mitglieder
permission-group-text = Textkanäle
permission-group-apps = Apps
permission-group-unused = Auf diesem Server ohne Wirkung

## Logging in and registering

about-api = Für Entwickler: die API dieses Servers
registration-open = Hier kann jeder ein Konto anlegen.
registration-by-code = Du brauchst einen Registrierungscode. Ein Administrator dieses Servers gibt ihn dir.
registration-by-approval = Hier kann sich jeder registrieren. Ein Administrator dieses Servers gibt jedes Konto frei.
registration-waits = Dein Konto ist angelegt. Du kannst dich anmelden, wenn ein Administrator dieses Servers es freigegeben hat.
registration-closed = Die Registrierung ist geschlossen. Ein Administrator dieses Servers kann dir ein Konto anlegen.
username-rules = Unter diesem Namen finden dich andere. Du kannst ihn später ändern.
email-use = Zum Anmelden. Andere sehen sie nicht.
password-rules = Mindestens { $count } Zeichen, und keines der häufigsten Passwörter.
log-in-again = Bitte melde dich wieder an
ended-kept = Deine Anmeldung ist beendet. Diese Seite bleibt, wie sie ist: Was du geschrieben hast, ist noch da.
not-stored = Dieser Browser speichert deine Anmeldung nicht. Nach dem Neuladen der Seite musst du dich wieder anmelden.
error-required = Das fehlt.
error-email-taken = Ein Konto mit dieser E-Mail-Adresse gibt es schon.
error-email-invalid = Das ist keine E-Mail-Adresse.
error-invites-paused = Dieser Server nimmt zurzeit keine neuen Mitglieder auf. Versuche es später wieder.
error-email-domain = Adressen dieses Anbieters sind auf diesem Server nicht möglich.
error-awaits-approval = Ein Administrator dieses Servers hat dein Konto noch nicht freigegeben.
error-login = Die Adresse oder das Passwort ist falsch.
error-registration-code = Dieser Code ist ungültig oder verbraucht. Bitte um einen neuen.
error-password = Das Passwort ist falsch.
error-password-common = Dieses Passwort ist eines der häufigsten. Wähle ein anderes.
error-username-taken = Dieser Benutzername ist vergeben. Wähle einen anderen.
error-disabled = Dieses Konto ist gesperrt. Frage einen Administrator dieses Servers.

## Settings

skip = Zum Inhalt
close-page = Schließen: { $name }
saved = Gespeichert.
open = Öffnen
settings-profile = Profil
settings-account = Konto
settings-sessions = Geräte
settings-privacy = Privatsphäre
settings-appearance = Aussehen
settings-shortcuts = Tastatur
settings-apps = Hinzugefügte Apps
settings-bots = Deine Bots
display-name = Anzeigename
display-name-hint = Wird statt { $name } gezeigt. Leer lassen, um diesen zu zeigen.
bio = Über dich
bio-hint = Andere sehen das in deinem Profil. Höchstens { $count } Zeichen.
choose-picture = Bild wählen
remove-picture = Bild entfernen
picture-hint = PNG, JPEG, GIF oder WebP. Du wählst den Ausschnitt.
crop-picture = Ausschnitt des Bildes
picture-unreadable = Diese Datei ist kein Bild, das dieser Browser zeigen kann. Wähle eine andere.
picture-as-it-is = Bewegt lassen
use-picture = Dieses Bild nehmen
picture-preview = So wird dein Bild aussehen
crop-zoom = Größe
crop-across = Links oder rechts
crop-down = Oben oder unten
current-password = Jetziges Passwort
new-password = Neues Passwort
change-username = Benutzernamen ändern
username-change-hint = Unter diesem Namen finden und erwähnen dich andere.
change-email = Adresse ändern
change-password = Passwort ändern
password-changed = Das Passwort ist geändert. Deine anderen Geräte sind abgemeldet.
delete-account = Konto löschen
delete-account-text = Dein Konto verlässt alle Server, und dein Name wird frei. Deine Nachrichten bleiben, ohne deinen Namen. Das lässt sich nicht rückgängig machen.
delete-account-guilds = Dir gehören Server: { $names }. Übertrage sie an ein anderes Mitglied oder lösche sie; dann kannst du dein Konto löschen.
delete-account-bots = Du hast Bots: { $names }. Lösche sie; dann kannst du dein Konto löschen.
sessions-text = Auf diesen Geräten bist du angemeldet. Melde die ab, die du nicht kennst, und ändere dein Passwort.
unknown-client = Ein unbekanntes Programm
client-on = { $client } auf { $system }
this-device = dieses Gerät
last-used = Zuletzt benutzt
since = angemeldet
log-out-of = Abmelden: { $name }
log-out-others = Alle anderen Geräte abmelden
session-end-text = Dieses Gerät muss sich wieder anmelden.
sessions-end-text = { $count ->
    [1] Ein anderes Gerät muss sich wieder anmelden.
   *[other] { $count } andere Geräte müssen sich wieder anmelden.
}
sessions-ended = { $count ->
    [1] Ein Gerät ist abgemeldet.
   *[other] { $count } Geräte sind abgemeldet.
}
direct-messages-from = Wer dir schreiben darf
direct-messages-guilds = Freunde und Mitglieder deiner Server
direct-messages-friends = Nur Freunde
direct-messages-nobody = Niemand
blocked-users = Blockierte Benutzer
none-blocked = Du hast niemanden blockiert.
unblock = Freigeben
unblock-user = { $name } freigeben
appearance-text = Diese Einstellungen gelten für diesen Browser. Bewegungen sind verringert, wenn dein System das wünscht.
density = Abstand der Nachrichten
density-cozy = Normal
density-compact = Gering
apps-text = Diese Apps kannst du überall benutzen. Deine Nachrichten sehen sie nicht.
no-apps = Du hast deinem Konto keine App hinzugefügt.
remove-app = Entfernen
remove-app-named = { $name } entfernen
remove-app-text = Du kannst { $name } nicht mehr benutzen, außer auf Servern, die es haben.
bots-text = Ein Bot ist ein Programm mit einem eigenen Konto. Jede Bibliothek für Discord-Bots funktioniert.
no-bots = Du hast noch keine Bots.
create-bot = Bot anlegen
bot-name = Name des Bots
bot-token = Token
bot-token-once = Kopiere ihn jetzt: Er wird nicht wieder gezeigt. Mit ihm kann ein Programm als dieser Bot handeln; halte ihn geheim.
bot-link = Link, um ihn einem Server hinzuzufügen
bot-link-hint = Er fragt nach dem Recht, Nachrichten zu lesen und zu schreiben. Du bestätigst auf der nächsten Seite.
bot-public = Andere dürfen ihn ihren Servern hinzufügen
intent-presences = Er sieht, wer online ist
intent-members = Er bekommt die Listen der Mitglieder
intent-content = Er bekommt den Text aller Nachrichten
reset-token = Neuer Token
reset-token-text = Der jetzige Token von { $name } gilt sofort nicht mehr.
delete-bot = Bot löschen
delete-bot-text = { $name } verlässt alle Server. Das lässt sich nicht rückgängig machen.
copy-named = Kopieren: { $name }
copy-by-hand = Dieser Browser erlaubt das Kopieren hier nicht. Markiere den Text und kopiere ihn.
keys = Tasten
key-effect = Wirkung
key-send = Nachricht senden
key-line = Neue Zeile in der Nachricht
key-escape = Abbrechen: eine Antwort, einen Dialog, die Einstellungen
key-tab = Zum nächsten Knopf oder Feld
key-settings = Einstellungen öffnen
key-shortcuts = Diese Tasten zeigen
## Server: Menüs und Kanäle
menu-of = Aktionen für { $name }
guild-menu = Servermenü
guild-settings = Servereinstellungen
guild-settings-of = Einstellungen von { $name }
members-and-roles = Mitglieder
channel-settings-of = Einstellungen von { $name }
private-channel = Privat
private-channel-about = Nur die gewählten Rollen und Administratoren sehen ihn.
muted = stumm
mute-channel = Stummschalten
unmute-channel = Stummschaltung aufheben
mute-guild = Server stummschalten
unmute-guild = Stummschaltung des Servers aufheben
mark-read = Als gelesen markieren
copy-link = Link kopieren
edit-channel = Kanal bearbeiten
edit-category = Kategorie bearbeiten
delete-channel = Kanal löschen
delete-channel-about = { $name } mit allen Nachrichten löschen? Das lässt sich nicht rückgängig machen.
delete-category = Kategorie löschen
delete-category-about = Die Kategorie { $name } löschen? Ihre Kanäle bleiben, ohne Kategorie.
new-category = Kategorie anlegen
new-channel-here = Hier einen Kanal anlegen
category-name = Name der Kategorie
category = Kategorie
no-category = Ohne Kategorie
channel-type = Art des Kanals
type-text = Text
type-announcement = Ankündigungen, denen andere Server folgen können
roles-that-see = Rollen, die ihn sehen
no-roles = Der Server hat noch keine Rollen.
move-up = Nach oben
move-down = Nach unten
move = Verschieben
move-to = In eine Kategorie verschieben
move-to-about = Wähle die Kategorie von { $name }.
change-nickname = Spitznamen ändern
nickname = Spitzname
own-nickname-about = Dein Name auf diesem Server. Leer lassen, um den Namen deines Kontos zu nutzen.
leave-guild-about = { $name } verlassen? Für die Rückkehr brauchst du eine neue Einladung.
confirm-type = Zur Bestätigung { $name } eingeben
confirm-mismatch = Gib genau diesen Namen ein: { $name }
add = Hinzufügen
remove = Entfernen
owner = Eigentümer

## Gruppen
new-group = Gruppe anlegen
new-group-about = Wähle mindestens zwei Freunde, mit denen du schreiben möchtest.
no-friends = Du hast hier noch keine Freunde. Sende zuerst eine Freundschaftsanfrage.
no-more-friends = Alle deine Freunde sind in dieser Gruppe.
group-settings = Gruppeneinstellungen
group-name = Name der Gruppe
group-gone = Du bist nicht mehr in dieser Gruppe.
group-full = Die Gruppe ist voll: 10 Personen.
empty-group = Leere Gruppe
people = Personen
add-people = Freunde hinzufügen
leave-group = Gruppe verlassen
leave-group-about = { $name } verlassen? Jemand muss dich wieder hinzufügen.
close-private = Unterhaltung schließen

error-forbidden = Das darfst du nicht (mehr).
error-gone = Das gibt es nicht mehr.
error-banned = Du bist auf diesem Server gesperrt.
error-blocked = Eine Regel dieses Servers erlaubt diese Nachricht nicht.
error-blocked-because = Eine Regel dieses Servers erlaubt diese Nachricht nicht: { $text }

## Server: Einstellungen
yes = Ja
no = Nein
choose = Auswählen
discard = Verwerfen
reload = Neu laden
load-more = Mehr laden
never = Nie
unlimited = Unbegrenzt
channel = Kanal
description = Beschreibung
topic = Thema
reason = Grund
reason-about = Er steht danach im Protokoll.
no-reason = Kein Grund angegeben
duration = Dauer
bot = Bot
roles = Rollen
permission = Recht
allow = Erlauben
deny = Verbieten
inherit = Erben
unsaved-changes = Es gibt Änderungen, die nicht gespeichert sind.
user-id = Benutzer-ID
hidden-channel = ein Kanal, den du nicht siehst
guild-sections = Abschnitte
guild-section-overview = Übersicht
guild-section-permissions = Rechte
guild-section-roles = Rollen
guild-section-members = Mitglieder
guild-section-invites = Einladungen
guild-section-bans = Sperren
guild-section-webhooks = Webhooks
guild-section-integrations = Bots
guild-section-audit = Protokoll
guild-picture-preview = Das neue Bild
picture-unsaved = Speichern, um es zu übernehmen.
picture-too-large = Das Bild ist zu groß.
system-channel = Kanal für Hinweise
guild-system-channel-about = Hier steht, wer beigetreten ist.
no-channel = Keiner
announce-joins = Sagen, wer beitritt
rules-channel = Kanal mit den Regeln
default-notifications = Voreinstellung der Benachrichtigungen
notify-all = Alle Nachrichten
notify-mentions = Nur Erwähnungen
guild-language = Sprache
delete-guild = Server löschen
delete-guild-about = Mit dem Server werden seine Kanäle, Nachrichten und Rollen gelöscht, für alle Mitglieder.
delete-guild-question = { $name } mit allem darin löschen? Das lässt sich nicht rückgängig machen.
channel-slow-mode = Langsammodus
slow-mode-off = Aus
slow-mode-about = So lange wartet ein Mitglied zwischen zwei Nachrichten. Wer Kanäle oder Nachrichten verwaltet oder ihn umgehen darf, wartet nicht.
nsfw = Nur für Erwachsene
nsfw-about = Programme warnen, bevor sie den Kanal zeigen.
roles-about = Mitglieder können mehrere Rollen haben. Eine Rolle weiter oben steht über denen darunter. Zum Verschieben ziehen, oder Alt und eine Pfeiltaste drücken.
new-role = Rolle anlegen
new-role-name = Neue Rolle
role-name = Name der Rolle
role-color = Farbe
role-color-value = Farbe der Rolle
hoist = Ihre Mitglieder einzeln zeigen
hoist-about = Die Mitgliederliste hat eine Gruppe für die Rolle.
mentionable = Alle dürfen sie erwähnen
role-above = Du kannst diese Rolle nicht ändern: Sie steht nicht unter deiner höchsten Rolle.
role-managed = Diese Rolle gehört zu einem Bot. Sie wird mit ihm vergeben und entfernt.
everyone-about = Alle Mitglieder haben diese Rolle. Sie enthält, was alle dürfen.
permission-not-own = Du kannst es nicht ändern: Du hast dieses Recht selbst nicht.
given-by-administrator = In Administrator enthalten.
delete-role = Rolle löschen
delete-role-about = Die Rolle { $name } löschen? Ihre Mitglieder verlieren sie.
give-role = Rolle geben
role-given = { $name } hat jetzt { $role }.
roles-of = Rollen von { $name }
no-own-roles = Keine Rollen
search-members = Mitglieder nach Namen suchen
search-narrower = Es gibt mehr. Gib mehr vom Namen ein.
nobody-found = Niemand gefunden.
manage = Verwalten
manage-name = { $name } verwalten
manage-member = Mitglied verwalten
member-since = Mitglied seit
account-since = Konto seit
not-a-member = Kein Mitglied dieses Servers mehr.
mention = Erwähnen
request-friend = Als Freund hinzufügen
accept-friend = Freundschaftsanfrage annehmen
is-friend = Befreundet
withdraw = Anfrage zurückziehen
block = Blockieren
block-about = { $name } blockieren? Die Freundschaft endet, und du erhältst keine Nachrichten mehr.
remove-friend-about = Die Freundschaft mit { $name } beenden?
blocked = Blockiert
sent-requests = Gesendete Anfragen
friends-count = Freunde — { $online } von { $count } online
nickname-about = Der Name von { $name } auf diesem Server. Leer lassen, um den Namen des Kontos zu nutzen.
time-out = Vorübergehend stummschalten
time-out-about = { $name } kann für diese Zeit weder schreiben noch reagieren.
end-timeout = Stummschaltung beenden
end-timeout-about = { $name } wieder schreiben lassen?
timed-out-until = Stummgeschaltet bis { $time }
kick = Entfernen
kick-about = { $name } vom Server entfernen? Mit einer Einladung ist die Rückkehr möglich.
ban = Sperren
ban-about = { $name } sperren? Eine Rückkehr ist erst möglich, wenn die Sperre aufgehoben ist.
delete-messages = Nachrichten löschen
delete-none = Keine
of-last = Die der letzten { $duration }
unban = Sperre aufheben
unban-about = { $name } mit einer Einladung wieder beitreten lassen?
ban-by-id = Jemanden sperren, der kein Mitglied ist
search-bans = Sperren nach Name, ID oder Grund suchen
new-invite = Einladung anlegen
new-invite-link = Der neue Link
create-invite = Link anlegen
other-invite = Anderer Ablauf, andere Anzahl
invite-valid-for-a-day = Er gilt einen Tag.
invite-age = Läuft ab nach
invite-max-uses = Verwendungen
invite-temporary = Mitgliedschaft auf Zeit
invite-temporary-about = Mitglieder ohne Rolle werden entfernt, sobald sie offline gehen.
invite-uses = { $max ->
    [0] { $uses }-mal benutzt
   *[other] { $uses } von { $max } Malen benutzt
}
no-invites = Es gibt keine Einladungen.
invited-by = von { $name }
expires = Läuft ab
never-expires = Läuft nie ab
invite-expires = Läuft ab: { $time }
revoke = Widerrufen
revoke-about = Die Einladung { $code } widerrufen? Niemand kann dann mit ihr beitreten.
online-count = { $count } online
already-member = Du bist bereits Mitglied.
too-many-guilds = Du bist auf so vielen Servern wie möglich. Verlasse zuerst einen.
webhooks-about = Ein Webhook ist eine Adresse, über die andere Programme Nachrichten senden. Halte sie geheim.
new-webhook = Webhook anlegen
webhook-name = Name des Webhooks
no-webhooks = Es gibt keine Webhooks.
copy-webhook = Adresse kopieren
delete-webhook = Webhook löschen
delete-webhook-about = { $name } löschen? Programme mit dieser Adresse können nicht mehr senden. Die Nachrichten bleiben.
webhook-follows = Er leitet die Ankündigungen eines anderen Kanals weiter.
created-by = Angelegt von { $name }
add-bot = Bot hinzufügen
add-bot-field = ID der Anwendung, oder ein Link zum Hinzufügen
add-bot-about = Der Bot muss eine Anwendung dieses Servers sein.
add-bot-invalid = Darin steht keine ID einer Anwendung.
add-bot-open = Die Seite öffnen, auf der du ihn hinzufügst
guild-no-bots = Auf dem Server sind keine Bots.
remove-bot = Bot entfernen
remove-bot-about = { $name } mit seiner Rolle vom Server entfernen?
access-about = Was eine Zelle nicht entscheidet, kommt von den Rollen. Einträge von Mitgliedern kommen zuletzt und gewinnen; unter Rollen gewinnt eine Erlaubnis.
view-as = Zeigen, was diese Rolle darf
view-as-member = Stattdessen ein Mitglied wählen
result-for = Ergebnis für { $name }
add-overwrite = Rolle oder Mitglied hinzufügen
add-role = Rolle
add-member = Mitglied nach Namen suchen
remove-overwrite = Einträge von { $name } entfernen
is-synchronized = Die Rechte sind die der Kategorie { $name } und ändern sich mit ihr.
is-not-synchronized = Die Rechte weichen von denen der Kategorie { $name } ab.
synchronize = Die der Kategorie übernehmen
why-nothing = Keine Rolle gewährt es.
why-owner = Der Eigentümer darf alles.
why-administrator = { $role } ist Administrator.
why-role = Die Rolle { $role } gewährt es.
why-overwrite-everyone-allow = Hier allen erlaubt.
why-overwrite-everyone-deny = Hier allen verboten.
why-overwrite-role-allow = Hier für { $role } erlaubt.
why-overwrite-role-deny = Hier für { $role } verboten.
why-overwrite-member-allow = Hier diesem Mitglied erlaubt.
why-overwrite-member-deny = Hier diesem Mitglied verboten.
why-overwrite-none-deny = Lässt sich nicht in einem Kanal gewähren.
why-hidden = Sieht den Kanal nicht.
why-silent = Darf hier nicht schreiben.
why-timeout = Vorübergehend stummgeschaltet.
audit-filter-action = Aktion
audit-filter-user = Nur die eines Mitglieds
audit-all = Alle Aktionen
audit-by = Von { $name }
audit-by-all = Alle zeigen
audit-empty = Hier steht nichts.
audit-nobody = Jemand
audit-nothing = nichts
audit-reason = Grund: { $reason }
audit-details = Einzelheiten
audit-change = { $name }: { $before } → { $after }
audit-bits-added = { $name }, hinzugefügt: { $names }
audit-bits-removed = { $name }, entfernt: { $names }
audit-roles-added = Rollen hinzugefügt: { $names }
audit-roles-removed = Rollen entfernt: { $names }
audit-other = { $user } hat etwas anderes getan ({ $action }).
audit-1 = { $user } hat den Server geändert.
audit-10 = { $user } hat { $target } angelegt.
audit-11 = { $user } hat { $target } geändert.
audit-12 = { $user } hat { $target } gelöscht.
audit-13 = { $user } hat Rechte in { $target } hinzugefügt.
audit-14 = { $user } hat Rechte in { $target } geändert.
audit-15 = { $user } hat Rechte in { $target } entfernt.
audit-20 = { $user } hat { $target } entfernt.
audit-21 = { $user } hat { $count } untätige Mitglieder entfernt.
audit-22 = { $user } hat { $target } gesperrt.
audit-23 = { $user } hat die Sperre von { $target } aufgehoben.
audit-24 = { $user } hat { $target } geändert.
audit-25 = { $user } hat die Rollen von { $target } geändert.
audit-28 = { $user } hat den Bot { $target } hinzugefügt.
audit-30 = { $user } hat die Rolle { $target } angelegt.
audit-31 = { $user } hat die Rolle { $target } geändert.
audit-32 = { $user } hat die Rolle { $target } gelöscht.
audit-40 = { $user } hat die Einladung { $target } angelegt.
audit-42 = { $user } hat die Einladung { $target } widerrufen.
audit-50 = { $user } hat den Webhook { $target } angelegt.
audit-51 = { $user } hat den Webhook { $target } geändert.
audit-52 = { $user } hat den Webhook { $target } gelöscht.
audit-72 = { $user } hat Nachrichten von { $target } gelöscht ({ $count }).
audit-73 = { $user } hat viele Nachrichten in { $target } gelöscht ({ $count }).
audit-74 = { $user } hat eine Nachricht von { $target } angeheftet.
audit-75 = { $user } hat eine Nachricht von { $target } gelöst.
audit-80 = { $user } hat { $target } hinzugefügt.
audit-81 = { $user } hat { $target } geändert.
audit-82 = { $user } hat { $target } entfernt.
audit-121 = { $user } hat geändert, wer Befehle nutzen darf.
audit-140 = { $user } hat die Regel { $target } angelegt.
audit-141 = { $user } hat die Regel { $target } geändert.
audit-142 = { $user } hat die Regel { $target } gelöscht.
audit-143 = Eine Regel hat eine Nachricht von { $target } verhindert.
audit-144 = Eine Regel hat eine Nachricht von { $target } gemeldet.
audit-145 = Eine Regel hat { $target } stummgeschaltet.
audit-name-1 = Server geändert
audit-name-10 = Kanal angelegt
audit-name-11 = Kanal geändert
audit-name-12 = Kanal gelöscht
audit-name-13 = Kanalrechte hinzugefügt
audit-name-14 = Kanalrechte geändert
audit-name-15 = Kanalrechte entfernt
audit-name-20 = Mitglied entfernt
audit-name-21 = Untätige Mitglieder entfernt
audit-name-22 = Mitglied gesperrt
audit-name-23 = Sperre aufgehoben
audit-name-24 = Mitglied geändert
audit-name-25 = Rollen eines Mitglieds geändert
audit-name-28 = Bot hinzugefügt
audit-name-30 = Rolle angelegt
audit-name-31 = Rolle geändert
audit-name-32 = Rolle gelöscht
audit-name-40 = Einladung angelegt
audit-name-42 = Einladung widerrufen
audit-name-50 = Webhook angelegt
audit-name-51 = Webhook geändert
audit-name-52 = Webhook gelöscht
audit-name-72 = Nachricht gelöscht
audit-name-73 = Viele Nachrichten gelöscht
audit-name-74 = Nachricht angeheftet
audit-name-75 = Nachricht gelöst
audit-name-80 = Anwendung hinzugefügt
audit-name-81 = Anwendung geändert
audit-name-82 = Anwendung entfernt
audit-name-121 = Rechte an Befehlen geändert
audit-name-140 = Regel für Nachrichten angelegt
audit-name-141 = Regel für Nachrichten geändert
audit-name-142 = Regel für Nachrichten gelöscht
audit-name-143 = Nachricht durch Regel verhindert
audit-name-144 = Nachricht durch Regel gemeldet
audit-name-145 = Mitglied durch Regel stummgeschaltet
audit-key-name = Name
audit-key-description = Beschreibung
audit-key-icon-hash = Bild
audit-key-avatar-hash = Bild
audit-key-owner-id = Eigentümer
audit-key-system-channel-id = Kanal für Hinweise
audit-key-rules-channel-id = Kanal mit den Regeln
audit-key-preferred-locale = Sprache
audit-key-mfa-level = zweiter Faktor der Moderation
audit-key-default-message-notifications = Voreinstellung der Benachrichtigungen
audit-key-topic = Thema
audit-key-nsfw = Nur für Erwachsene
audit-key-rate-limit-per-user = Langsammodus, in Sekunden
audit-key-position = Position
audit-key-parent-id = Kategorie
audit-key-type = Art
audit-key-color = Farbe
audit-key-hoist = Einzeln gezeigt
audit-key-mentionable = Erwähnbar
audit-key-permissions = Rechte
audit-key-allow = Erlaubt
audit-key-deny = Verboten
audit-key-nick = Spitzname
audit-key-communication-disabled-until = Stummgeschaltet bis
audit-key-code = Code
audit-key-channel-id = Kanal
audit-key-max-uses = Verwendungen
audit-key-max-age = Gültig für Sekunden
audit-key-temporary = Mitgliedschaft auf Zeit
seconds = { $count } Sekunden
minutes = { $count ->
    [1] eine Minute
   *[other] { $count } Minuten
}
hours = { $count ->
    [1] eine Stunde
   *[other] { $count } Stunden
}
days = { $count ->
    [1] ein Tag
   *[other] { $count } Tage
}
ban-count = { $count ->
    [0] Niemand ist gesperrt.
    [1] Eine Sperre
   *[other] { $count } Sperren
}
## Messages: reading

message-by = { $name }, { $time }: { $text }
message-arrived = { $name } schrieb: { $text }
message-missing = Diese Nachricht wurde gelöscht, oder du darfst sie nicht sehen.
message-without-text = (eine Nachricht ohne Text)
message-menu = Weitere Aktionen
replied-to = Antwort an { $name }: { $text }. Diese Nachricht zeigen.
app-tag = App
pin = Anheften
unpin = Lösen
pinned = Angeheftet
copy-text = Text kopieren
mark-unread = Als ungelesen markieren
jump-to-unread = Zur ersten ungelesenen Nachricht
jump-to-date = Zu einem Datum springen
jump = Dorthin springen
date = Datum
react-with = Mit { $emoji } reagieren
reactions = Reaktionen
reaction-label = { $emoji }, { $count ->
    [1] eine Reaktion
   *[other] { $count } Reaktionen
}
delete-message = Nachricht löschen
delete-message-question = Diese Nachricht löschen? Das lässt sich nicht rückgängig machen.
edit-keys = Enter speichert, Escape bricht ab
edit-empty = Eine Nachricht kann nicht leer sein. Du kannst sie stattdessen löschen.
spoiler = Spoiler, zum Zeigen auswählen
code = Code
download = Herunterladen
previous = Zurück
next = Weiter
picture-of = { $at } von { $count }
picture-at = { $name } auf { $host }
embed-picture = Bild
embed-video = Video
file = Datei
choose-between = { $least } bis { $most }
interaction-failed = Die Anwendung hat nicht geantwortet. Versuche es noch einmal.
modal-of = Ein Formular der App { $name }
submit = Absenden
modal-count = { $count } von { $most } Zeichen
modal-length = Schreib { $least } bis { $most } Zeichen.
modal-choose = Wähle { $least } bis { $most } aus.
modal-search = Suche: { $name }
modal-expired = Dieses Formular ist abgelaufen. Kopiere, was du noch brauchst, und öffne das Formular neu.

## Messages: writing

files = Dateien
cannot-attach = Du kannst hier keine Dateien anhängen.
file-too-large = { $name } hat { $size }; Dateien können bis zu { $limit } haben.
file-unreadable = { $name } kann nicht gelesen werden. Ordner können nicht gesendet werden, geänderte Dateien auch nicht.
too-many-files = { $name } ist zu viel: Eine Nachricht kann { $limit } Dateien haben.
describe-file = Beschreibung von { $name }
cancel-reply = Nicht antworten
characters-left = { $count ->
    [1] noch ein Zeichen
   *[other] noch { $count } Zeichen
}
too-long = { $count ->
    [1] Ein Zeichen zu lang. Kürze die Nachricht, um sie zu senden.
   *[other] { $count } Zeichen zu lang. Kürze die Nachricht, um sie zu senden.
}
slow-mode-every = Langsamer Modus: alle { $seconds } s eine Nachricht.
slow-mode-left = Langsamer Modus: Du kannst in { $seconds } s wieder senden.
completions = Vorschläge
mention-everyone = Alle Mitglieder dieses Kanals
mention-here = Mitglieder dieses Kanals, die online sind
role = Rolle
emoji = Emoji
emoji-search = Emoji suchen
emoji-groups = Gruppen von Emoji
emoji-none = Kein Emoji heißt so.
emoji-recent = Zuletzt benutzt
emoji-smileys-emotion = Smileys
emoji-people-body = Menschen
emoji-animals-nature = Tiere und Natur
emoji-food-drink = Essen und Trinken
emoji-travel-places = Reisen und Orte
emoji-activities = Aktivitäten
emoji-objects = Gegenstände
emoji-symbols = Symbole
emoji-flags = Flaggen

## Messages: search and pins

search = Suchen
search-text = Wörter, oder "ein Satz"
search-filters = Filter
search-from = Von
search-mentions = Erwähnt
search-in = In
search-everywhere = Alle Kanäle
search-has = Enthält
search-has-link = einen Link
search-has-embed = eine Einbettung
search-has-file = eine Datei
search-has-image = ein Bild
search-has-video = ein Video
search-has-sound = einen Ton
search-after = Nach
search-before = Vor
search-order = Reihenfolge
search-newest = Neueste zuerst
search-oldest = Älteste zuerst
search-empty = Gib ein, was du suchst, oder wähle einen Filter.
search-count = { $count ->
    [0] Keine Nachrichten gefunden.
    [1] Eine Nachricht gefunden.
   *[other] { $count } Nachrichten gefunden.
}
search-partial = Die Suche hat zu lange gedauert: Es kann weitere geben.
searching = Suche läuft…
show-more = Mehr zeigen
pins = Angeheftete Nachrichten
no-pins = Hier ist keine Nachricht angeheftet. Hefte eine über ihr Menü an.

## Messages: notifications

settings-notifications = Benachrichtigungen
notifications-about = Dieser Browser kann dich auf Erwähnungen und Direktnachrichten hinweisen, während du woanders bist, und auf alle Nachrichten, wo du das gewählt hast. Was du stummgeschaltet hast, bleibt still.
notifications-on = In diesem Browser benachrichtigen
notifications-denied = Der Browser verbietet dieser Seite Benachrichtigungen. Erlaube sie in seinen Einstellungen für diese Seite und lade sie neu.
notifications-unsupported = Dieser Browser hat keine Benachrichtigungen.

## Messages: keys

key-edit-last = Im leeren Feld: deine letzte Nachricht bearbeiten
key-choose-message = In der Liste der Nachrichten: eine auswählen
key-of-message = An einer Nachricht: { $action }
## Reports

report = Melden
report-about = Du meldest { $name } den Administratoren dieses Servers, mit einer Kopie davon und deinem Namen.
report-category = Grund
report-comment = Was sollen sie wissen? (freiwillig)
report-send = Meldung senden
report-sent = Danke. Die Administratoren dieses Servers sehen es sich an.
category-spam = Werbung oder Spam
category-harassment = Belästigung oder Mobbing
category-hate = Hass
category-violence = Gewalt oder Drohungen
category-self-harm = Selbstverletzung oder Suizid
category-sexual = Sexuelle Inhalte
category-child-safety = Gefahr für Kinder
category-illegal = Etwas Verbotenes
category-impersonation = Gibt sich als jemand anders aus
category-malware = Betrug oder Schadsoftware
category-other = Etwas anderes

## Administration of the server

admin-reports = Meldungen
admin-reports-text = Was gemeldet wurde und noch nicht entschieden ist.
report-by = Gemeldet von { $name }
reports-similar = { $count ->
    [1] eine weitere Meldung
   *[other] { $count } weitere Meldungen
}
report-decide = Entscheiden
report-outcome = Entscheidung
report-note = Notiz für andere Administratoren (freiwillig)
report-similar = Die anderen { $count } Meldungen dazu ebenso entscheiden
outcome-no-action = Nichts tun
outcome-message-deleted = Die Nachricht löschen
outcome-user-warned = Festhalten, dass du verwarnt hast
outcome-user-disabled = Das Konto sperren
outcome-guild-deleted = Den Server mit allen Nachrichten löschen
outcome-other = Etwas anderes, wie in der Notiz steht
admin-registrations = Freigaben
admin-registrations-text = Konten, die auf einen Administrator warten, wenn die Registrierung eine Freigabe braucht.
approve = Freigeben
refuse = Ablehnen
refuse-text = Das Konto { $name } wird gelöscht. Name und Adresse können wieder benutzt werden.

admin = Verwaltung des Servers
admin-overview = Überblick
admin-accounts = Konten
admin-codes = Registrierungscodes
admin-refused = Nur Administratoren dieses Servers dürfen diese Seite sehen. Sein Betreiber macht dich mit „chatd user promote“ dazu.
admin-now = Jetzt
admin-holds = Auf diesem Server
figure-sessions = Sitzungen
figure-requests = Anfragen je Sekunde
figure-errors = Fehler des Servers je Sekunde
figure-messages = Nachrichten je Sekunde
figure-deliveries = Zustellungen je Sekunde
figure-database = Benutzte Datenbankverbindungen
plot-text = { $title }: jetzt { $latest }, höchstens { $highest } in den letzten Minuten
instance-named = Instanz { $id }
instances = Instanzen
instance-number = Nummer
instance-host = Rechner
instance-version = Version
refresh = Neu laden
megabytes = { $count } MB
count-people = Menschen
count-bots = Bots
count-active-day = Heute aktiv
count-active-month = In 30 Tagen aktiv
count-disabled = Gesperrte Konten
count-guilds = Server
count-channels = Kanäle
count-messages = Nachrichten
count-attachments = Dateien
count-attachment-bytes = Größe der Dateien
count-database-bytes = Größe der Datenbank
search-names = Teil eines Namens oder einer Adresse
nothing-found = Nichts gefunden.
kind = Art
kind-all = Alle
kind-administrators = Administratoren
kind-disabled = Gesperrte
kind-bots = Bots
administrator = Administrator
tag-bot = Bot
disabled = gesperrt
account-facts = { $guilds ->
    [1] auf einem Server,
   *[other] auf { $guilds } Servern,
} { $logins ->
    [1] eine Anmeldung
   *[other] { $logins } Anmeldungen
}
enable = Entsperren
enable-text = { $name } kann sich wieder anmelden.
disable = Sperren
disable-text = { $name } wird überall abgemeldet und kann sich nicht anmelden. Nachrichten und Server bleiben.
set-password = Passwort setzen
set-password-text = { $name } wird überall abgemeldet. Teile dem Besitzer das neue Passwort mit.
log-out-text = { $name } wird überall abgemeldet und kann sich wieder anmelden.
delete-text = Das Konto { $name } wird gelöscht. Seine Nachrichten bleiben, ohne den Namen. Das lässt sich nicht rückgängig machen.
delete-guilds-too = { $count ->
    [1] Auch seinen Server löschen
   *[other] Auch seine { $count } Server löschen
}
delete-applications-too = Auch seine Bots löschen
admin-guilds-text = Du siehst, wem ein Server gehört und wie groß er ist, aber nichts von seinem Inhalt.
guild-facts = { $owner } · { $members ->
    [1] 1 Mitglied
   *[other] { $members } Mitglieder
} · { $channels ->
    [1] ein Kanal
   *[other] { $channels } Kanäle
}
codes-text = Mit einem Code kann man sich registrieren, wo das einen braucht. Schicke den Link.
create-code = Code erstellen
code-uses = Wie viele Menschen ihn benutzen können
code-days = Tage, bis er endet
code-zero = 0 heißt unbegrenzt.
code-link = Link zum Registrieren
code-used = { $most ->
    [0] { $uses } Mal benutzt
   *[other] { $uses } von { $most } Mal benutzt
}
code-ends = endet
code-never = nie
no-codes = Es gibt keine Codes.
revoke-named = { $name } zurückziehen
revoke-code-text = Mit { $code } kann sich niemand mehr registrieren.

## Views that fail

view-failed = Das kann wegen eines Fehlers nicht angezeigt werden.
## The first steps
welcome = Willkommen
hide-as-spoiler = Als Spoiler verbergen
back-to-channels = Zurück zur Liste
no-roles-private = Der Server hat noch keine Rollen. Füge dem Kanal in seinen Einstellungen unter „Rechte“ Mitglieder hinzu.
error-no-such-user = Es gibt keinen Benutzer mit diesem Namen. Prüfe die Schreibweise.
error-no-requests = Du kannst diesem Benutzer keine Freundschaftsanfrage senden.
error-friends-already = Ihr seid schon befreundet.

## Zweite Faktoren

settings-security = Sicherheit
security-text = Mit einem zweiten Faktor genügt dein Passwort allein nicht, um sich anzumelden. Jede Anmeldung braucht auch einen Code einer App, einen Passkey oder einen Wiederherstellungscode.
factor-on = Dein Konto hat einen zweiten Faktor.
factor-off = Dein Konto hat noch keinen zweiten Faktor.
factor-needed = Dein Passwort stimmt. Dieses Konto braucht auch seinen zweiten Faktor.
factor-code = Code
factor-code-hint = Der Code, den deine App zeigt, oder ein Wiederherstellungscode.
factor-expired = Das hat zu lange gedauert oder zu viele Versuche gebraucht. Gib dein Passwort noch einmal ein.
error-factor = Das braucht den zweiten Faktor deines Kontos. Du richtest ihn in den Einstellungen unter Sicherheit ein.
error-code = Dieser Code ist falsch oder wurde schon benutzt.
back = Zurück
confirm = Bestätigen
confirm-it-is-you = Bestätige, dass du es bist
confirm-factor-text = Das braucht deinen zweiten Faktor.
confirm-password-text = Das braucht dein Passwort.
app = App für Codes
app-text = Eine App auf deinem Telefon, zum Beispiel Aegis oder Google Authenticator, zeigt alle 30 Sekunden einen neuen Code.
app-set-up = Eine App einrichten
app-scan = Scanne dieses Bild mit der App, oder gib den Schlüssel darin ein. Gib dann den Code ein, den sie zeigt.
app-open = In einer App auf diesem Gerät öffnen
app-secret = Schlüssel
app-code = Code der App
app-turn-on = Einschalten
app-on = Deine App zeigt die Codes für dieses Konto.
app-turn-off = App entfernen
app-turn-off-text = Ihre Codes gelten dann nicht mehr.
qr-code = QR-Code für die App
passkeys = Passkeys
passkeys-text = Ein Passkey ist in deinem Telefon, deinem Computer oder einem Sicherheitsschlüssel. Du benutzt ihn mit Fingerabdruck, Gesicht oder PIN.
no-passkeys = Du hast keine Passkeys.
passkey-add = Passkey hinzufügen
passkey-name = Name des Passkeys
passkey-unused = Noch nicht benutzt
passkey-rename = Umbenennen
passkey-rename-named = { $name } umbenennen
passkey-delete = Passkey löschen
passkey-delete-named = { $name } löschen
passkey-delete-text = { $name } gilt dann nicht mehr.
passkey-unavailable = Dieser Browser kann hier keine Passkeys benutzen. Nötig sind eine sichere Verbindung (https) und die Adresse dieses Servers.
passkey-cancelled = Der Passkey wurde nicht benutzt. Versuche es noch einmal.
passkey-failed = Dieser Passkey funktioniert an dieser Adresse nicht.
use-passkey = Passkey benutzen
recovery-codes = Wiederherstellungscodes
recovery-text = Jeder Wiederherstellungscode ersetzt deinen zweiten Faktor einmal, wenn du dein Telefon verloren hast.
recovery-once = Bewahre diese Codes sicher auf. Nur jetzt sind sie zu sehen. Jeder gilt einmal, anstelle deines zweiten Faktors.
recovery-kept = Ich habe sie aufbewahrt
recovery-replace = Neue Codes erstellen
recovery-replace-text = Alle früheren Codes gelten dann nicht mehr.
mfa-level = Moderation
mfa-level-is-on = Wer moderiert, braucht einen zweiten Faktor für das eigene Konto.
mfa-level-is-off = Wer moderiert, braucht keinen zweiten Faktor.
mfa-level-on = Zweiten Faktor verlangen
mfa-level-off = Keinen zweiten Faktor verlangen
mfa-level-on-text = Mitglieder ohne zweiten Faktor können dann nicht mehr moderieren, ebenso wenig Bots von Personen ohne einen.
mfa-level-off-text = Ein gestohlenes Passwort einer moderierenden Person genügt dann, um zu moderieren.
mfa-level-own = Um ihn zu verlangen, richte zuerst einen zweiten Faktor für dein eigenes Konto ein, in den Einstellungen unter Sicherheit.

## Anmeldung bei Anbietern

providers = Anmeldung bei Anbietern
providers-text = Mit einem Konto bei diesen Anbietern kannst du dich anmelden, ohne Passwort und zweiten Faktor dieses Kontos.
provider-link = { $name } verknüpfen
provider-unlink = Trennen
provider-unlink-named = { $name } trennen
provider-unlink-text = Du kannst dich dann nicht mehr mit { $name } anmelden, und deine anderen Anmeldungen damit enden.
no-password = Dein Konto hat noch kein Passwort. Mit einem kannst du dich auch ohne Anbieter anmelden.
error-last-way = Anders kannst du dich nicht anmelden. Wähle zuerst ein Passwort.
error-login-expired = Diese Anmeldung hat zu lange gedauert. Melde dich noch einmal an.
error-login-old = Melde dich dafür ab und noch einmal bei deinem Anbieter an. Dann hast du zehn Minuten Zeit.
