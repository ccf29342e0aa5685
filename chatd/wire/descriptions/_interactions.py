"""Descriptions of interactions and modals: of their schemas, and of the fields of each."""

from __future__ import annotations

from typing import Final

_COMPONENT_ID = (
    "The id of the component, unique in the modal; the server assigns one if it is missing."
)
_CUSTOM_ID = "The bot's own name for the field, unique in the modal."
_PLACEHOLDER = "The text that is shown while the field is empty."
_REQUIRED = "Whether the user has to fill it in; by default true."
_MIN_VALUES = "How many must be chosen at least."
_MAX_VALUES = "How many can be chosen."
_DISABLED = "Only false: a modal has no disabled components."

_INPUT: Final = {
    "type": "The type of the component.",
    "id": _COMPONENT_ID,
    "custom_id": _CUSTOM_ID,
    "required": _REQUIRED,
}
_COUNTED: Final = {**_INPUT, "min_values": _MIN_VALUES, "max_values": _MAX_VALUES}
_SELECT: Final = {**_COUNTED, "placeholder": _PLACEHOLDER, "disabled": _DISABLED}
_AUTO_SELECT: Final = {**_SELECT, "default_values": "What is chosen at first."}
_OPTIONS = "The options to choose from."

_NEW_FLAGS: Final = (
    "64 for a message that only the person sees; 4 hides embeds, 4096 sends no notifications, 32768"
    " is for components only."
)

_INTERACTION: Final = {
    "id": "The id of the interaction.",
    "type": "2 a command, 3 a component, 4 suggestions for an option, 5 a submitted modal.",
    "user": "The user who started the interaction.",
    "name": "The name of the command, with its group and subcommand.",
}
_METADATA: Final = {
    **_INTERACTION,
    "command_type": "1 a slash command, 2 a menu of users, 3 a menu of messages.",
    "interacted_message_id": "The message with the component that was used.",
    "target_user": "The user whose menu was used.",
    "target_message_id": "The message whose menu was used.",
}


def _callback(data: str) -> dict[str, str]:
    return {"type": "What the application does: see the description of the object.", "data": data}


INTERACTIONS: Final[dict[str, dict[str, str]]] = {
    "NewInteraction": {
        "type": _INTERACTION["type"],
        "application_id": "The application.",
        "channel_id": "The channel in which the person is.",
        "guild_id": "The guild of the channel.",
        "message_id": "The message with the component.",
        "message_flags": "The flags of that message.",
        "session_id": "The gateway session of the person's client (from READY), which receives what"
        " only this client needs; without it, all sessions of the person do.",
        "data": "A command and its options (types 2 and 4), a component and its values (3), or a"
        " modal and its fields (5).",
    },
    "CommandUse": {
        "id": "The id of the command.",
        "name": "The name of the command.",
        "type": _METADATA["command_type"],
        "version": "The version of the command that the client shows; another one is refused.",
        "guild_id": "The guild of a command that is not global.",
        "options": "The values, or the subcommand with its values.",
        "target_id": "The user or the message whose menu was used.",
        "attachments": "The names of the files in the request.",
    },
    "CommandUseOption": {
        "name": "The name of the option.",
        "type": "The type of the option, as the command defines it.",
        "value": "The value: an id for users, roles and channels, the number of a file for files.",
        "focused": "Whether the person is typing this option; one in a request of type 4.",
        "options": "The values of a subcommand, or the subcommand of a group.",
    },
    "ComponentUse": {
        "component_type": "2 a button, 3 and 5 to 8 a select.",
        "custom_id": "The `custom_id` of the component.",
        "values": "What is chosen in a select: values of its options, or ids.",
    },
    "ModalSubmission": {
        "id": "The `id` of INTERACTION_MODAL_CREATE.",
        "custom_id": "The `custom_id` of the modal.",
        "components": "The components of the modal, with what the person has entered.",
        "attachments": "The names of the files in the request.",
    },
    "SubmittedComponent": {
        "type": "The type of the component.",
        "custom_id": "The `custom_id` of the field.",
        "value": "The text of a text input, the option of a radio group, or whether a checkbox is"
        " checked.",
        "values": "What is chosen: values of options, ids, or numbers of files.",
        "components": "The field of an action row.",
        "component": "The field of a label.",
    },
    "SentFile": {
        "id": "The number of the file: 0 for `files[0]`.",
        "filename": "The name of the file.",
        "uploaded_filename": "The `upload_filename` of a file that was uploaded before.",
    },
    "ResponseMessage": {"flags": _NEW_FLAGS},
    "Deferral": {"flags": "64 for a response that only the person sees."},
    "InteractionMessageChange": {
        "flags": "4 hides embeds; 32768 is for components only, and cannot be removed.",
    },
    "Choices": {"choices": "What clients show to choose from, at most 25."},
    "MessageCallback": _callback("The message."),
    "DeferralCallback": _callback("How the response will be shown."),
    "AcknowledgementCallback": {"type": _callback("")["type"]},
    "UpdateCallback": _callback("The changes to the message with the component."),
    "AutocompleteCallback": _callback("The suggestions."),
    "ModalCallback": _callback("The modal."),
    "ChoiceInput": {"name": "The text of the choice."},
    "ModalInput": {
        "custom_id": "The bot's own name for the modal.",
        "title": "The title of the modal.",
        "components": "The fields of the modal, one to five.",
    },
    "InteractionCallback": {
        "interaction": "The interaction.",
        "resource": "What the response has created or changed.",
    },
    "InteractionCallbackResource": {
        "type": "The type of the response.",
        "message": "The message.",
    },
    "RespondedInteraction": {
        "id": _INTERACTION["id"],
        "type": _INTERACTION["type"],
        "channel_id": "The channel of the interaction.",
        "guild_id": "The guild of the channel.",
        "response_message_id": "The message of the response.",
        "response_message_loading": "Whether the response will follow.",
        "response_message_ephemeral": "Whether only the person sees the response.",
    },
    "MessageInteraction": _INTERACTION,
    "TriggeringInteraction": _METADATA,
    "InteractionMetadata": {
        **_METADATA,
        "original_response_message_id": "The first response, if this message follows it.",
        "triggering_interaction_metadata": "The interaction whose response was the modal.",
    },
    "ModalActionRowInput": {
        "type": "The type of the component.",
        "id": _COMPONENT_ID,
        "components": "One text input.",
    },
    "LabelInput": {
        "type": "The type of the component.",
        "id": _COMPONENT_ID,
        "label": "The text above the field.",
        "description": "A text below the label.",
        "component": "The field.",
    },
    "TextInputInput": {
        **_INPUT,
        "style": "1 for one line, 2 for several.",
        "label": "The text above the field; a text input in a label has none.",
        "value": "The text that is in the field at first.",
        "placeholder": _PLACEHOLDER,
    },
    "ModalStringSelectInput": {**_SELECT, "options": _OPTIONS},
    "ModalUserSelectInput": _AUTO_SELECT,
    "ModalRoleSelectInput": _AUTO_SELECT,
    "ModalMentionableSelectInput": _AUTO_SELECT,
    "ModalChannelSelectInput": _AUTO_SELECT,
    "FileUploadInput": {
        **_INPUT,
        "min_values": "How many files must be sent at least.",
        "max_values": "How many files can be sent.",
    },
    "RadioGroupInput": {**_INPUT, "options": _OPTIONS},
    "CheckboxGroupInput": {**_COUNTED, "options": _OPTIONS},
    "CheckboxInput": {
        "type": "The type of the component.",
        "id": _COMPONENT_ID,
        "custom_id": _CUSTOM_ID,
        "default": "Whether it is checked at first.",
    },
    "OptionInput": {
        "value": "What the bot receives.",
        "label": "The text of the option.",
        "description": "A text below the option.",
        "default": "Whether the option is chosen at first.",
    },
}
"""Descriptions of the fields, by the name of the schema."""

SCHEMAS_OF_INTERACTIONS: Final[dict[str, str]] = {
    "NewInteraction": "What a person does with an application.",
    "ResponseMessage": "The message of a response.",
    "InteractionMessageChange": "Changes to a message that responds to an interaction.",
    "Deferral": "How a response will be shown that the application sends later.",
    "MessageCallback": "Responds with a message.",
    "DeferralCallback": "Acknowledges the interaction, and shows that a response will follow.",
    "AcknowledgementCallback": "Acknowledges the use of a component, and shows nothing.",
    "UpdateCallback": "Changes the message with the component.",
    "AutocompleteCallback": "Suggests choices for the option that a person is typing.",
    "ModalCallback": "Shows a modal to the person, who submits it as another interaction.",
    "Choices": "The suggestions.",
    "ChoiceInput": "A suggestion.",
    "ModalInput": "A form that a person fills in.",
    "ModalActionRowInput": "A row with one text input, which has its own label.",
    "LabelInput": "A field with a label above it.",
    "TextInputInput": "A field for text.",
    "ModalStringSelectInput": "A select for options.",
    "ModalUserSelectInput": "A select for users.",
    "ModalRoleSelectInput": "A select for roles.",
    "ModalMentionableSelectInput": "A select for users and roles.",
    "ModalChannelSelectInput": "A select for channels.",
    "FileUploadInput": "A field for files.",
    "RadioGroupInput": "Options; one can be chosen.",
    "CheckboxGroupInput": "Options; several can be chosen.",
    "CheckboxInput": "A single checkbox.",
    "OptionInput": "An option to choose.",
}
"""Descriptions of the schemas in requests."""
