log-in = Anmelden
log-out = Abmelden
register = Konto anlegen
login-name = E-Mail-Adresse oder Benutzername
email = E-Mail-Adresse
username = Benutzername
password = Passwort
invitation-code = Registrierungscode
need-account = Noch kein Konto?
have-account = Schon ein Konto?
ended = Die Anmeldung ist abgelaufen. Bitte melden Sie sich erneut an.

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
status-offline = Sie sind offline.
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
cannot-write = Hier können Sie nicht schreiben.
replying-to = Antwort an { $name }
editing = Nachricht bearbeiten
attach = Dateien anhängen
remove-file = { $name } entfernen
not-sent = Nicht gesendet: { $reason }
sending = Wird gesendet …
edited = (bearbeitet)
new-messages = Neue Nachrichten
jump-to-present = Zu den neuesten Nachrichten
beginning = Hier beginnt { $name }.
loading = Wird geladen …
load-failed = Das konnte nicht geladen werden.
deleted-reply = Die Nachricht wurde gelöscht.
typing = { $count ->
    [1] { $names } schreibt …
   *[other] { $names } schreiben …
}
typing-many = Mehrere Leute schreiben …
member-count = { $count ->
    [1] ein Mitglied
   *[other] { $count } Mitglieder
}
unread = { $name }, ungelesen
mentioned = { $name }, { $count ->
    [1] eine Erwähnung
   *[other] { $count } Erwähnungen
}

invited-to = Sie sind zu { $name } eingeladen
invite-gone = Diese Einladung gilt nicht mehr. Bitten Sie um eine neue.
no-guilds = Sie sind noch auf keinem Server. Legen Sie einen an, oder treten Sie mit einem Einladungslink bei.
no-privates = Noch keine Direktnachrichten. Schreiben Sie einem Freund oder einem Mitglied eines Servers.
no-messages = Noch keine Nachrichten. Schreiben Sie die erste.
choose-channel = Wählen Sie einen Kanal.
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

error-unreachable = Der Server ist nicht erreichbar. Prüfen Sie die Verbindung und versuchen Sie es noch einmal.
error-rate-limited = Zu viele Anfragen. Versuchen Sie es in { $seconds } s noch einmal.
error-server = Der Server hat ein Problem. Versuchen Sie es gleich noch einmal.

system-1 = { $name } hat { $other } hinzugefügt.
system-2 = { $other } ist gegangen.
system-4 = { $name } hat den Namen in { $content } geändert.
system-5 = { $name } hat das Bild geändert.
system-6 = { $name } hat eine Nachricht angeheftet.
system-7 = { $name } ist beigetreten.
system-12 = { $name } folgt hier { $content }.
