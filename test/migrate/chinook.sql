-- The schema of the public Chinook database in its form for SQLite, with rows of our own.

CREATE TABLE [Artist]
(
    [ArtistId] INTEGER NOT NULL,
    [Name] NVARCHAR(120),
    CONSTRAINT [PK_Artist] PRIMARY KEY ([ArtistId])
);

CREATE TABLE [Genre]
(
    [GenreId] INTEGER NOT NULL,
    [Name] NVARCHAR(120),
    CONSTRAINT [PK_Genre] PRIMARY KEY ([GenreId])
);

CREATE TABLE [MediaType]
(
    [MediaTypeId] INTEGER NOT NULL,
    [Name] NVARCHAR(120),
    CONSTRAINT [PK_MediaType] PRIMARY KEY ([MediaTypeId])
);

CREATE TABLE [Playlist]
(
    [PlaylistId] INTEGER NOT NULL,
    [Name] NVARCHAR(120),
    CONSTRAINT [PK_Playlist] PRIMARY KEY ([PlaylistId])
);

CREATE TABLE [Album]
(
    [AlbumId] INTEGER NOT NULL,
    [Title] NVARCHAR(160) NOT NULL,
    [ArtistId] INTEGER NOT NULL,
    CONSTRAINT [PK_Album] PRIMARY KEY ([AlbumId]),
    FOREIGN KEY ([ArtistId]) REFERENCES [Artist] ([ArtistId])
        ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [Employee]
(
    [EmployeeId] INTEGER NOT NULL,
    [LastName] NVARCHAR(20) NOT NULL,
    [FirstName] NVARCHAR(20) NOT NULL,
    [Title] NVARCHAR(30),
    [ReportsTo] INTEGER,
    [BirthDate] DATETIME,
    [HireDate] DATETIME,
    [Address] NVARCHAR(70),
    [City] NVARCHAR(40),
    [State] NVARCHAR(40),
    [Country] NVARCHAR(40),
    [PostalCode] NVARCHAR(10),
    [Phone] NVARCHAR(24),
    [Fax] NVARCHAR(24),
    [Email] NVARCHAR(60),
    CONSTRAINT [PK_Employee] PRIMARY KEY ([EmployeeId]),
    FOREIGN KEY ([ReportsTo]) REFERENCES [Employee] ([EmployeeId])
        ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [Customer]
(
    [CustomerId] INTEGER NOT NULL,
    [FirstName] NVARCHAR(40) NOT NULL,
    [LastName] NVARCHAR(20) NOT NULL,
    [Company] NVARCHAR(80),
    [Address] NVARCHAR(70),
    [City] NVARCHAR(40),
    [State] NVARCHAR(40),
    [Country] NVARCHAR(40),
    [PostalCode] NVARCHAR(10),
    [Phone] NVARCHAR(24),
    [Fax] NVARCHAR(24),
    [Email] NVARCHAR(60) NOT NULL,
    [SupportRepId] INTEGER,
    CONSTRAINT [PK_Customer] PRIMARY KEY ([CustomerId]),
    FOREIGN KEY ([SupportRepId]) REFERENCES [Employee] ([EmployeeId])
        ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [Invoice]
(
    [InvoiceId] INTEGER NOT NULL,
    [CustomerId] INTEGER NOT NULL,
    [InvoiceDate] DATETIME NOT NULL,
    [BillingAddress] NVARCHAR(70),
    [BillingCity] NVARCHAR(40),
    [BillingState] NVARCHAR(40),
    [BillingCountry] NVARCHAR(40),
    [BillingPostalCode] NVARCHAR(10),
    [Total] NUMERIC(10,2) NOT NULL,
    CONSTRAINT [PK_Invoice] PRIMARY KEY ([InvoiceId]),
    FOREIGN KEY ([CustomerId]) REFERENCES [Customer] ([CustomerId])
        ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [Track]
(
    [TrackId] INTEGER NOT NULL,
    [Name] NVARCHAR(200) NOT NULL,
    [AlbumId] INTEGER,
    [MediaTypeId] INTEGER NOT NULL,
    [GenreId] INTEGER,
    [Composer] NVARCHAR(220),
    [Milliseconds] INTEGER NOT NULL,
    [Bytes] INTEGER,
    [UnitPrice] NUMERIC(10,2) NOT NULL,
    CONSTRAINT [PK_Track] PRIMARY KEY ([TrackId]),
    FOREIGN KEY ([AlbumId]) REFERENCES [Album] ([AlbumId])
        ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([GenreId]) REFERENCES [Genre] ([GenreId])
        ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([MediaTypeId]) REFERENCES [MediaType] ([MediaTypeId])
        ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [InvoiceLine]
(
    [InvoiceLineId] INTEGER NOT NULL,
    [InvoiceId] INTEGER NOT NULL,
    [TrackId] INTEGER NOT NULL,
    [UnitPrice] NUMERIC(10,2) NOT NULL,
    [Quantity] INTEGER NOT NULL,
    CONSTRAINT [PK_InvoiceLine] PRIMARY KEY ([InvoiceLineId]),
    FOREIGN KEY ([InvoiceId]) REFERENCES [Invoice] ([InvoiceId])
        ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([TrackId]) REFERENCES [Track] ([TrackId])
        ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE TABLE [PlaylistTrack]
(
    [PlaylistId] INTEGER NOT NULL,
    [TrackId] INTEGER NOT NULL,
    CONSTRAINT [PK_PlaylistTrack] PRIMARY KEY ([PlaylistId], [TrackId]),
    FOREIGN KEY ([PlaylistId]) REFERENCES [Playlist] ([PlaylistId])
        ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([TrackId]) REFERENCES [Track] ([TrackId])
        ON DELETE NO ACTION ON UPDATE NO ACTION
);

CREATE INDEX [IFK_AlbumArtistId] ON [Album] ([ArtistId]);
CREATE INDEX [IFK_CustomerSupportRepId] ON [Customer] ([SupportRepId]);
CREATE INDEX [IFK_EmployeeReportsTo] ON [Employee] ([ReportsTo]);
CREATE INDEX [IFK_InvoiceCustomerId] ON [Invoice] ([CustomerId]);
CREATE INDEX [IFK_InvoiceLineInvoiceId] ON [InvoiceLine] ([InvoiceId]);
CREATE INDEX [IFK_InvoiceLineTrackId] ON [InvoiceLine] ([TrackId]);
CREATE INDEX [IFK_PlaylistTrackPlaylistId] ON [PlaylistTrack] ([PlaylistId]);
CREATE INDEX [IFK_PlaylistTrackTrackId] ON [PlaylistTrack] ([TrackId]);
CREATE INDEX [IFK_TrackAlbumId] ON [Track] ([AlbumId]);
CREATE INDEX [IFK_TrackGenreId] ON [Track] ([GenreId]);
CREATE INDEX [IFK_TrackMediaTypeId] ON [Track] ([MediaTypeId]);

INSERT INTO [Artist] VALUES (1, 'The Weekday Band'), (2, 'Ada & the Engines'), (3, 'Ñandú Trío'), (4, NULL);
INSERT INTO [Genre] VALUES (1, 'Rock'), (2, 'Jazz'), (3, 'Field Recording');
INSERT INTO [MediaType] VALUES (1, 'MPEG audio file'), (2, 'FLAC audio file');
INSERT INTO [Playlist] VALUES (1, 'Everything'), (2, 'It''s late'), (3, 'Empty');
INSERT INTO [Album] VALUES
    (1, 'Monday Again', 1),
    (2, 'Analytical', 2),
    (3, 'Pampa', 3),
    (4, 'Notes on "G"', 2);
INSERT INTO [Employee] ([EmployeeId], [LastName], [FirstName], [Title], [ReportsTo], [BirthDate], [HireDate], [City], [Country], [Email]) VALUES
    (1, 'Okafor', 'Ngozi', 'General Manager', NULL, '1970-02-18 00:00:00', '2010-08-14 00:00:00', 'Calgary', 'Canada', 'ngozi@example.com'),
    (2, 'Berg', 'Lena', 'Sales Manager', 1, '1978-12-08 00:00:00', '2011-05-01 00:00:00', 'Calgary', 'Canada', 'lena@example.com'),
    (3, 'Sato', 'Ken', 'Sales Support Agent', 2, '1985-08-29 00:00:00', '2012-04-01 00:00:00', 'Osaka', 'Japan', 'ken@example.com'),
    (4, 'Silva', 'Rui', 'Sales Support Agent', 2, NULL, NULL, 'Porto', 'Portugal', NULL);
INSERT INTO [Customer] ([CustomerId], [FirstName], [LastName], [Company], [City], [Country], [Email], [SupportRepId]) VALUES
    (1, 'Mara', 'Lind', NULL, 'Oslo', 'Norway', 'mara@example.com', 3),
    (2, 'Tom', 'O''Neil', 'Neil & Sons', 'Dublin', 'Ireland', 'tom@example.com', 4),
    (3, 'José', 'Pérez', NULL, 'Lima', 'Peru', 'jose@example.com', 3),
    (4, 'Yuki', 'Mori', 'Mori KK', 'Kyoto', 'Japan', 'yuki@example.com', NULL);
INSERT INTO [Invoice] VALUES
    (1, 1, '2021-01-01 00:00:00', 'Storgata 1', 'Oslo', NULL, 'Norway', '0155', 1.98),
    (2, 2, '2021-01-02 00:00:00', NULL, 'Dublin', NULL, 'Ireland', NULL, 3.96),
    (3, 3, '2021-02-11 00:00:00', NULL, 'Lima', NULL, 'Peru', NULL, 5.94),
    (4, 1, '2022-03-04 00:00:00', 'Storgata 1', 'Oslo', NULL, 'Norway', '0155', 0.99),
    (5, 4, '2022-05-30 00:00:00', NULL, 'Kyoto', NULL, 'Japan', NULL, 10);
INSERT INTO [Track] VALUES
    (1, 'Alarm', 1, 1, 1, 'B. Weekday', 201123, 6712345, 0.99),
    (2, 'Coffee', 1, 1, 1, NULL, 184000, 5900210, 0.99),
    (3, 'The Bus Is Late', 1, 2, 1, 'B. Weekday', 250731, 25012345, 1.99),
    (4, 'Punched Cards', 2, 2, 2, 'A. King', 312000, NULL, 1.99),
    (5, 'Loop', 2, 1, 2, 'A. King', 60000, 1999999, 0.99),
    (6, 'Viento', 3, 1, 3, NULL, 541200, 17000000, 0.99),
    (7, 'Grillos', 3, 1, 3, NULL, 432100, 13000001, 0.99),
    (8, 'Bernoulli', 4, 2, 2, 'A. King', 777777, 71234567, 1.99),
    (9, 'Untitled', NULL, 1, NULL, NULL, 1, 1, 0);
INSERT INTO [InvoiceLine] VALUES
    (1, 1, 1, 0.99, 1), (2, 1, 2, 0.99, 1), (3, 2, 3, 1.99, 1), (4, 2, 4, 1.97, 1),
    (5, 3, 6, 0.99, 3), (6, 3, 7, 0.99, 3), (7, 4, 5, 0.99, 1), (8, 5, 8, 2, 5);
INSERT INTO [PlaylistTrack] VALUES (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (1, 7), (1, 8), (1, 9), (2, 4), (2, 8);
