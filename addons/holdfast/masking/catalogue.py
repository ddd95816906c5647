"""Which of Presidio's recognizers finds which entity.

Only recognizers that work on text alone, for English: checksums, formats and shapes. What needs a trained model stands
in :data:`MODEL_ENTITIES` and is found when the rules name a spaCy model.
"""

from typing import Final

# Entity -> class in presidio_analyzer.predefined_recognizers. tests/masking compares it with the installed Presidio.
RECOGNIZERS: Final[dict[str, str]] = {
    "ABA_ROUTING_NUMBER": "AbaRoutingRecognizer",
    "AU_ABN": "AuAbnRecognizer",
    "AU_ACN": "AuAcnRecognizer",
    "AU_MEDICARE": "AuMedicareRecognizer",
    "AU_TFN": "AuTfnRecognizer",
    "CA_SIN": "CaSinRecognizer",
    "CREDIT_CARD": "CreditCardRecognizer",
    "CRYPTO": "CryptoRecognizer",
    "DATE_TIME": "DateRecognizer",
    "DE_HEALTH_INSURANCE": "DeHealthInsuranceRecognizer",
    "DE_ID_CARD": "DeIdCardRecognizer",
    "DE_PASSPORT": "DePassportRecognizer",
    "DE_SOCIAL_SECURITY": "DeSocialSecurityRecognizer",
    "DE_TAX_ID": "DeTaxIdRecognizer",
    "EMAIL_ADDRESS": "EmailRecognizer",
    "ES_NIE": "EsNieRecognizer",
    "ES_NIF": "EsNifRecognizer",
    "FI_PERSONAL_IDENTITY_CODE": "FiPersonalIdentityCodeRecognizer",
    "IBAN_CODE": "IbanRecognizer",
    "IN_AADHAAR": "InAadhaarRecognizer",
    "IN_PAN": "InPanRecognizer",
    "IP_ADDRESS": "IpRecognizer",
    "IT_FISCAL_CODE": "ItFiscalCodeRecognizer",
    "MAC_ADDRESS": "MacAddressRecognizer",
    "MEDICAL_LICENSE": "MedicalLicenseRecognizer",
    "PHONE_NUMBER": "PhoneRecognizer",
    "PL_PESEL": "PlPeselRecognizer",
    "SE_PERSONNUMMER": "SePersonnummerRecognizer",
    "SG_NRIC_FIN": "SgFinRecognizer",
    "UK_DRIVING_LICENCE": "UkDrivingLicenceRecognizer",
    "UK_NHS": "NhsRecognizer",
    "UK_NINO": "UkNinoRecognizer",
    "UK_PASSPORT": "UkPassportRecognizer",
    "URL": "UrlRecognizer",
    "US_BANK_NUMBER": "UsBankRecognizer",
    "US_DRIVER_LICENSE": "UsLicenseRecognizer",
    "US_HEALTH_INSURANCE_MEMBER_ID": "UsHealthInsuranceMemberIdRecognizer",
    "US_ITIN": "UsItinRecognizer",
    "US_MBI": "UsMbiRecognizer",
    "US_NPI": "UsNpiRecognizer",
    "US_PASSPORT": "UsPassportRecognizer",
    "US_SSN": "UsSsnRecognizer",
    "UUID": "UuidRecognizer",
    "ZA_ID_NUMBER": "ZaIdNumberRecognizer",
}

# Numbers like any other: a checksum of one digit holds for every tenth of them, so only a word beside them counts.
CONTEXT_ONLY: Final = frozenset(
    {
        *("ABA_ROUTING_NUMBER", "AU_ABN", "AU_ACN", "AU_MEDICARE", "AU_TFN", "CA_SIN", "DE_HEALTH_INSURANCE"),
        *("DE_ID_CARD", "DE_PASSPORT", "DE_SOCIAL_SECURITY", "DE_TAX_ID", "ES_NIE", "ES_NIF", "IN_AADHAAR"),
        *("FI_PERSONAL_IDENTITY_CODE", "IT_FISCAL_CODE", "PL_PESEL", "SE_PERSONNUMMER", "SG_NRIC_FIN", "UK_NHS"),
        *("UK_DRIVING_LICENCE", "UK_NINO", "UK_PASSPORT", "US_HEALTH_INSURANCE_MEMBER_ID", "US_NPI", "ZA_ID_NUMBER"),
    }
)

MODEL_ENTITIES: Final = frozenset({"LOCATION", "NRP", "ORGANIZATION", "PERSON"})
