"""Backups of a whole server, taken while it serves, and restoring them.

    create          takes a backup: lock, snapshot, dump, files
    restore         checks, restores files, then the database, and verifies
    restore_checks  versions, clock, running instances, space
    archive         the archive: its writer, and its reader, which checks hashes
    tar, manifest   the format: members; header, index and manifest
    tools           pg_dump and pg_restore
    secrets         encryption by a passphrase
    settings        settings and secrets of a server
    file_table      the files of an archive, on disk
    destination     where archives are written; retention
    in_flight       several transfers of files at once
    storage         the storage of the settings
    progress        what a caller sees of it

An archive is an uncompressed tar file with these members, in this order:

    backup.json            the header: versions, time, earlier archives
    settings.json          settings without secrets
    secrets.bin            encrypted secrets, on request
    database/00000001.zst  the dump in the custom format of pg_dump, in compressed parts
    files/attachments/1    stored files, by their keys
    index/00000001.jsonl   after each 5,000 members: their sizes and hashes
    manifest.json          row counts, hashes of the index

It is written and read in one pass, in constant memory. Only its order and hashes make it complete.
"""
