// A row of people.sign_ins: one browser or program in which somebody is signed in.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'people', name: 'sign_ins' })
export class SignIn {
  @PrimaryColumn('text') id!: string;
  @Column('text') person!: string;
  /** For whom they act; null: for nobody. */
  @Column('text', { nullable: true }) merchant!: string | null;
  /** Of the person when they signed in: Person.generation. */
  @Column('integer') generation!: number;
  /** By a cookie, which stays the same; else by refresh tokens, each good once. */
  @Column('boolean', { name: 'by_cookie' }) byCookie!: boolean;
  /** Of the cookie or the present refresh token, under the pepper. */
  @Column('text') digest!: string;
  /** Where they signed in from, not to the single address. */
  @Column('text') network!: string;
  @Column('text', { name: 'user_agent', nullable: true }) userAgent!: string | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'last_used_at' }) lastUsedAt!: Date;
  /** Later with every use, up to `endsAt`. */
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
  @Column('timestamptz', { name: 'ends_at' }) endsAt!: Date;
}
